/** What a workload costs in three ways, in tokens of input. */
export interface Costs {
  readonly none: number
  readonly bound: number
}

/**
 * R, the share of the greatest possible saving that a strategy gets: 1 is perfect, below 0 it costs more
 * than no caching. Undefined where there is nothing to save.
 */
export function scoreOf(cost: number, { none, bound }: Costs): number | undefined {
  const possible = none - bound
  // Sums of fractions: what is left of nothing is not a saving.
  return possible > none * 1e-9 ? (none - cost) / possible : undefined
}

export function savingOf(cost: number, none: number): number {
  return (none - cost) / none
}
