import type { Tally } from '../tally.ts'

/** A cell, with the width that its column has. */
export type Cell = readonly [text: string, width: number]

/** Right-aligned, but for the last. */
export function row(cells: readonly Cell[]): string {
  return cells
    .map(([text, width], at) => (at === cells.length - 1 ? text : text.padStart(width)))
    .join('  ')
    .trimEnd()
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
export const dollars = (amount: number): string => `$${amount.toFixed(2)}`
export const ms = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0))
export const perSecond = (count: number, { seconds }: Tally): number =>
  seconds === 0 ? 0 : count / seconds
