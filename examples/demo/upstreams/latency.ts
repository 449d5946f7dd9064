/** What was measured: half of the calls take up to `p50` milliseconds, 95 % up to `p95`. */
export interface Latency {
  readonly p50: number
  readonly p95: number
}

/** The 95th percentile of the standard normal distribution. */
const Z95 = 1.6449

/** Draws log-normal latencies, the usual shape of network calls: never negative, a long tail. */
export function logNormal({ p50, p95 }: Latency, random: () => number): () => number {
  const sigma = Math.log(p95 / p50) / Z95
  return () => {
    // Box-Muller; 1 - random() is never 0, whose logarithm is not a number.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return p50 * Math.exp(sigma * normal)
  }
}
