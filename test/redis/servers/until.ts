import { setTimeout as sleep } from 'node:timers/promises'

/** Options of `until`. */
export interface UntilOptions {
  /** Milliseconds after which it gives up. Default: 10,000. */
  readonly withinMs?: number
  /** Milliseconds between two looks. Default: 5. */
  readonly everyMs?: number
}

type Truthy<T> = T extends false | 0 | '' | null | undefined ? never : T

/**
 * Polls until the condition gives something truthy and resolves to that. A condition that throws is
 * asked again. Rejects after `withinMs` with `what` and the last error.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 5 }: UntilOptions = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + withinMs
  let last: unknown
  for (;;) {
    try {
      const result = await condition()
      if (result) return result as Truthy<T>
      last = result
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      throw new Error(`Not within ${withinMs} ms: ${what}`, { cause: last })
    }
    await sleep(everyMs)
  }
}
