import { expect } from 'vitest'
import type { Finding, Level } from '../../../src/cli/doctor/finding.ts'
import type { Section } from '../../../src/cli/doctor/report.ts'
import { runCommand } from '../../../src/cli/run-command.ts'
import { preciseClock, realRandom } from '../../../src/kernel/real-clock.ts'

/** The only password of these tests, and one that is wrong: neither may ever be printed. */
export const SECRET = 'sekret/hunter2'
export const WRONG_SECRET = 'wr0ng-hunter3'

export interface RunOptions {
  readonly env?: Record<string, string>
  readonly stdin?: string
  readonly isTty?: boolean
}

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function runCli(
  args: readonly string[],
  { env = {}, stdin = '', isTty = false }: RunOptions = {},
): Promise<Run> {
  const written = { out: '', err: '' }
  const output = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text
    },
    isTty,
    columns: 100,
  })
  const code = await runCommand(args, {
    env,
    clock: preciseClock,
    random: realRandom,
    out: output('out'),
    err: output('err'),
    readStdin: async () => stdin,
  })
  const all = written.out + written.err
  for (const secret of [SECRET, WRONG_SECRET]) {
    expect(all).not.toContain(secret)
    expect(all).not.toContain(encodeURIComponent(secret))
  }
  return { code, ...written }
}

export interface Diagnosis {
  readonly code: number
  readonly findings: readonly Finding[]
  /** The findings of one check, as `level: message`. */
  of(check: string): readonly string[]
  /** The checks that found something at this level. */
  at(level: Level): readonly string[]
}

/** Runs the doctor for machines; everything that is not ok has to say why it matters and what to do. */
export async function diagnose(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Diagnosis> {
  // The machine may be busy with other tests: its pauses are no finding.
  const patience = args.includes('--timeout') ? [] : ['--timeout', '1s']
  const { code, out } = await runCli(['doctor', ...args, ...patience, '--json'], options)
  const { sections } = JSON.parse(out) as { sections: readonly Section[] }
  const findings = sections.flatMap((section) => section.findings)
  for (const { level, message, why, fix } of findings) {
    expect(message).not.toBe('')
    if (level !== 'ok')
      expect({ message, says: Boolean(why && fix) }).toEqual({ message, says: true })
  }
  return {
    code,
    findings,
    of: (check) =>
      findings.filter((one) => one.check === check).map((one) => `${one.level}: ${one.message}`),
    at: (level) => findings.filter((one) => one.level === level).map((one) => one.check),
  }
}
