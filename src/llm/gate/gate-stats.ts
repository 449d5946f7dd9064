/** Counts of calls; they only grow. */
export interface GateStats {
  /** First with their prefix, those included that were promoted. */
  readonly led: number
  /** Waited for the first one. */
  readonly waited: number
  /** Began at once: a warm prefix, or a small one. */
  readonly passed: number
  /** Of those that waited: `maxWait` was over. */
  readonly timedOut: number
  /** Of those that waited: the first one had failed, and they took its place. */
  readonly promoted: number
}
