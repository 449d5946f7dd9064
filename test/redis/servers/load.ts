import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** Options of `runLoad`. */
export interface LoadOptions<T> {
  readonly callsPerSecond: number
  readonly forMs: number
  /** Gets the number of the call, from 0. */
  call(index: number): Promise<T> | T
  /** Ends the load before its time; calls under way are still waited for. */
  readonly signal?: AbortSignal
}

/** One call. Times in milliseconds since the load began. */
export interface Called<T> {
  readonly index: number
  /** When its turn was. */
  readonly due: number
  readonly start: number
  readonly end: number
  readonly result?: T
  /** Set when it rejected or threw. */
  readonly error?: unknown
}

/** What came of a load. Latencies in milliseconds, from a call's start to its end. */
export interface LoadReport<T> {
  readonly count: number
  readonly errors: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** How late the worst call began: the event loop or the generator was busy. */
  readonly maxLag: number
  /** In the order the calls began. */
  readonly history: readonly Called<T>[]
}

/**
 * Calls at a fixed rate whatever the answers take (open loop), and resolves when the last one is
 * answered. A timer that fires late is made up for at once. Calls that fail are recorded, never
 * thrown.
 */
export async function runLoad<T>(options: LoadOptions<T>): Promise<LoadReport<T>> {
  const { callsPerSecond, forMs, call, signal } = options
  const total = Math.floor((callsPerSecond * forMs) / 1_000)
  const pending: Promise<Called<T>>[] = []
  const began = performance.now()
  const now = () => performance.now() - began
  while (pending.length < total && signal?.aborted !== true) {
    const dueCount = Math.min(total, Math.floor((now() * callsPerSecond) / 1_000) + 1)
    while (pending.length < dueCount) {
      const index = pending.length
      pending.push(record(index, (index * 1_000) / callsPerSecond, now, call))
    }
    const wait = (pending.length * 1_000) / callsPerSecond - now()
    // A timer may be a millisecond late, so the last stretch goes turn by turn.
    await (wait > 2 ? sleep(wait - 1) : nextTurn())
  }
  return reportOf(await Promise.all(pending))
}

/** The value below which the share of the values lies: `percentile(latencies, 0.99)`. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

async function record<T>(
  index: number,
  due: number,
  now: () => number,
  call: (index: number) => Promise<T> | T,
): Promise<Called<T>> {
  const start = now()
  try {
    const result = await call(index)
    return { index, due, start, end: now(), result }
  } catch (error) {
    return { index, due, start, end: now(), error }
  }
}

function reportOf<T>(history: readonly Called<T>[]): LoadReport<T> {
  const latencies = history.map(({ start, end }) => end - start)
  return {
    count: history.length,
    errors: history.filter((called) => 'error' in called).length,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    p999: percentile(latencies, 0.999),
    max: percentile(latencies, 1),
    maxLag: percentile(
      history.map(({ due, start }) => start - due),
      1,
    ),
    history,
  }
}
