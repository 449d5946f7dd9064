import { isResilienceError } from '../kernel/errors.ts'
import { type Asking, type Outcome, Rejection } from './source.ts'

interface Part {
  readonly from: number
  readonly to: number
  readonly error: unknown
}

type Ask<K, V> = (keys: readonly K[], asking: Asking) => Promise<ReadonlyArray<Outcome<V>>>

/**
 * After a whole batch has failed: halves it until the keys that make it fail stand alone, so that only
 * they do. One such key among n costs 2 log2(n) more calls, one after the other. No batch costs more
 * than twice that, so that a dead database is not asked n times: what is not found out by then fails
 * with the error of its part.
 */
export async function bisect<K, V>(
  keys: readonly K[],
  error: unknown,
  ask: Ask<K, V>,
  asking: Asking,
): Promise<ReadonlyArray<Outcome<V>>> {
  const outcomes = new Array<Outcome<V>>(keys.length)
  let calls = 4 * Math.ceil(Math.log2(keys.length))
  const failed: Part[] = [{ from: 0, to: keys.length, error }]
  for (const part of failed) {
    const { from, to } = part
    if (to - from === 1 || calls < 2 || !isWorthSplitting(part.error) || asking.signal.aborted) {
      outcomes.fill(new Rejection(part.error), from, to)
      continue
    }
    const middle = Math.ceil((from + to) / 2)
    calls -= 2
    for (const [start, end] of [
      [from, middle],
      [middle, to],
    ] as const) {
      try {
        const found = await ask(keys.slice(start, end), asking)
        for (const [place, outcome] of found.entries()) outcomes[start + place] = outcome
      } catch (halfError) {
        failed.push({ from: start, to: end, error: halfError })
      }
    }
  }
  return outcomes
}

/** Time-outs, open breakers, spent limits, wrong answers: no key is to blame. */
export function isWorthSplitting(error: unknown): boolean {
  return !isResilienceError(error)
}
