import type { Tally } from '../tally.ts'
import { type Cell, dollars, ms, percent, perSecond, row } from './table.ts'

export interface L2View {
  readonly state: string
  readonly source: string
  readonly coherence: string
}

export interface Second {
  readonly at: number
  readonly tally: Tally
  readonly l2: L2View
  readonly notes: readonly string[]
}

const WIDTHS = [4, 9, 6, 7, 6, 9, 10, 9, 8, 14] as const

export function liveHead(): string {
  return line([
    'time',
    'answers/s',
    'errors',
    'hits',
    'p99 ms',
    'L2',
    'source',
    'coherence',
    'origin/s',
    '$/s (uncached)',
    'what happened',
  ])
}

export function liveLine({ at, tally, l2, notes }: Second): string {
  return line([
    `${at.toFixed(0)} s`,
    perSecond(tally.answers, tally).toFixed(0),
    String(tally.errors),
    percent(tally.hitRate),
    ms(tally.p99),
    l2.state,
    l2.source,
    l2.coherence,
    perSecond(tally.originCalls, tally).toFixed(0),
    `${dollars(perSecond(tally.dollars, tally))} (${dollars(perSecond(tally.dollarsWithout, tally))})`,
    notes.join('; '),
  ])
}

function line(texts: readonly string[]): string {
  return row(texts.map((text, at): Cell => [text, WIDTHS[at] ?? 0]))
}
