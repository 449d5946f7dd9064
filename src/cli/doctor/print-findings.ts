import type { Output } from '../cli-world.ts'
import type { Paint } from '../paint.ts'
import { count, milliseconds, wrapped } from '../text.ts'
import type { Finding, Level } from './finding.ts'
import type { Report, ReportWatcher } from './report.ts'

const LEVEL_WIDTH = 9
const CHECK_WIDTH = 15
const INDENT = 2 + LEVEL_WIDTH + CHECK_WIDTH
const WIDEST = 110

/** Prints what is found as it is found, for people. */
export function printFindings(out: Output, err: Output, paint: Paint): ReportWatcher {
  const status = statusLine(err)
  const explained = new Set<string>()
  return {
    onSection(title) {
      status.clear()
      out.write(`\n${paint.bold(title)}\n`)
    },
    onFinding(finding) {
      status.clear()
      // Three nodes with one fault need no explanation three times.
      const explanation = `${finding.why}\n${finding.fix}`
      const isKnown = finding.why !== undefined && explained.has(explanation)
      explained.add(explanation)
      const shown = isKnown ? shortened(finding) : finding
      out.write(findingText(shown, paint, Math.min(out.columns, WIDEST)))
    },
    onWait: (what) => status.show(what),
  }
}

function shortened({ check, level, message }: Finding): Finding {
  return { check, level, message: `${message} (see above)` }
}

/** The line that says how it went. */
export function summaryText(report: Report, paint: Paint, ms: number): string {
  const problems = report.count('problem')
  const warnings = report.count('warning')
  const parts = [
    problems > 0 ? paint.problem(count(problems, 'problem')) : 'no problems',
    warnings > 0 ? paint.warning(count(warnings, 'warning')) : 'no warnings',
    `${report.count('ok')} ok`,
  ]
  return `\n${parts.join(', ')} (${milliseconds(ms)})\n`
}

function findingText(finding: Finding, paint: Paint, columns: number): string {
  const { level, check, message, why, fix } = finding
  const level_ = paint[level as Level](level.padEnd(LEVEL_WIDTH))
  const lines = [`  ${level_}${check.padEnd(CHECK_WIDTH)}`]
  const width = Math.max(30, columns - INDENT)
  const [first = '', ...rest] = wrapped(message, width)
  lines[0] += first
  for (const line of rest) lines.push(' '.repeat(INDENT) + line)
  for (const [word, text] of [
    ['why', why],
    ['do', fix],
  ] as const) {
    if (!text) continue
    wrapped(text, width).forEach((line, at) => {
      const label =
        at === 0
          ? paint.dim(word.padStart(CHECK_WIDTH - 2).padEnd(CHECK_WIDTH))
          : ' '.repeat(CHECK_WIDTH)
      lines.push(' '.repeat(2 + LEVEL_WIDTH) + label + line)
    })
  }
  return `${lines.join('\n')}\n`
}

/** A line that replaces itself, on a terminal only. */
function statusLine(err: Output): { show(what: string): void; clear(): void } {
  let isShown = false
  return {
    show(what) {
      if (!err.isTty) return
      err.write(`\r\u001b[K  … ${what}`)
      isShown = true
    },
    clear() {
      if (isShown) err.write('\r\u001b[K')
      isShown = false
    },
  }
}
