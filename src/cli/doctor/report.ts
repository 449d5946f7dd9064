import type { Finding } from './finding.ts'

export interface Section {
  readonly title: string
  readonly findings: readonly Finding[]
}

export interface ReportWatcher {
  onSection(title: string): void
  onFinding(finding: Finding): void
  /** What is being waited for. */
  onWait(what: string): void
}

/** Everything that was found, in sections, told as it comes. */
export class Report {
  readonly #watcher: ReportWatcher
  readonly #sections: { title: string; findings: Finding[] }[] = []

  constructor(watcher: ReportWatcher) {
    this.#watcher = watcher
  }

  get sections(): readonly Section[] {
    return this.#sections
  }

  section(title: string): void {
    this.#sections.push({ title, findings: [] })
    this.#watcher.onSection(title)
  }

  add(...findings: readonly (Finding | undefined)[]): void {
    for (const finding of findings) {
      if (!finding) continue
      this.#sections.at(-1)?.findings.push(finding)
      this.#watcher.onFinding(finding)
    }
  }

  wait(what: string): void {
    this.#watcher.onWait(what)
  }

  count(level: Finding['level']): number {
    const all = this.#sections.flatMap(({ findings }) => findings)
    return all.filter((finding) => finding.level === level).length
  }
}
