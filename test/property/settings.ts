/**
 * RC_RUNS: how many random schedules each property tries. RC_SEED and RC_PATH: what a failure has
 * printed, to run that schedule again.
 */
export function runSettings(standardRuns: number) {
  const { RC_PATH, RC_RUNS, RC_SEED } = process.env
  return {
    numRuns: RC_RUNS === undefined ? standardRuns : Number(RC_RUNS),
    ...(RC_SEED === undefined ? {} : { seed: Number(RC_SEED) }),
    ...(RC_PATH === undefined ? {} : { path: RC_PATH }),
  }
}

/** A property may take as long as its runs need; shrinking a failure takes the most. */
export const PROPERTY_TIMEOUT_MS = 60 * 60_000

/** One turn of the event loop: all promises that can settle have settled. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
