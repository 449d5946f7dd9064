import { Tally } from '../tally.ts'
import { BOUND_MS } from '../truth.ts'
import { type Cell, dollars, ms, percent, perSecond, row } from './table.ts'

export interface Phase {
  readonly name: string
  readonly tally: Tally
}

const WIDTHS = [22, 8, 6, 6, 6, 7, 7, 7, 14] as const
const HEAD = [
  '',
  'answers',
  'errors',
  'L1',
  'L2',
  'p99 ms',
  'origin',
  'spent',
  'without cache',
  'old value seen for',
]

/** The table of the phases, and the sentence that says how it went. */
export function report(phases: readonly Phase[], firstProblem: string | undefined) {
  const all = new Tally()
  for (const { tally } of phases) all.add(tally)
  const table = [HEAD, ...[...phases, { name: 'together', tally: all }].map(cells)]
  const isGood = all.errors === 0 && all.tooOld === 0 && all.answers > 0
  return {
    isGood,
    text: [...table.map(line), '', ...verdict(all, isGood, firstProblem)].join('\n'),
  }
}

function cells({ name, tally }: Phase): string[] {
  const share = (count: number) => percent(tally.answers === 0 ? 0 : count / tally.answers)
  return [
    name.padEnd(WIDTHS[0]),
    String(tally.answers),
    String(tally.errors),
    share(tally.fromL1),
    share(tally.fromL2),
    ms(tally.p99),
    `${perSecond(tally.originCalls, tally).toFixed(0)}/s`,
    dollars(tally.dollars),
    dollars(tally.dollarsWithout),
    tally.oldestMs === 0 ? '' : `${ms(tally.oldestMs)} ms`,
  ]
}

function verdict(all: Tally, isGood: boolean, firstProblem: string | undefined): string[] {
  const times = all.originCalls === 0 ? 0 : all.answers / all.originCalls
  return [
    `${isGood ? 'Survived' : 'FAILED'}: ${all.errors} errors, ${all.tooOld} values older than allowed, in ${all.answers} answers.`,
    ...(firstProblem === undefined ? [] : [`  The first problem: ${firstProblem}.`]),
    `  Every answer was compared with the truth. With L2 there, the other instance may serve an old`,
    `  value for ${BOUND_MS} ms after an acknowledged invalidation; without it, until its ttl ends.`,
    `  Without the cache: ${times.toFixed(0)} times as many calls of the origins, ${dollars(all.dollarsWithout)} instead of ${dollars(all.dollars)}.`,
  ]
}

function line(texts: readonly string[]): string {
  return row(texts.map((text, at): Cell => [text, WIDTHS[at] ?? 0]))
}
