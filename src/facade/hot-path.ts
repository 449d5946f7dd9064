import type { KeyMemo } from '../key/key-memo.ts'
import type { Entry } from '../l1/entry.ts'
import type { Region } from '../read-path/region.ts'
import type { WrappedCore } from './wrapped-core.ts'

// Everything here is for one purpose: a hit costs one lookup, two or three comparisons and no
// allocation. Not `async` (that would make a promise per call), no rest parameters (an array per
// call), no key prefix, no exact clock: the entry's own promise is handed out.

const TILDE = 126

/** lru-cache would make an options object for each lookup, and writes its own into this one. */
const LOOKUP = {}

type Slow<R> = (self: unknown, args: readonly unknown[]) => R

/** The function that a wrapped function is: hot entries here, everything else in `slow`. */
export function hotFunction(core: WrappedCore, slow: Slow<Promise<unknown>>) {
  const { plainKeys, memo } = core
  return function cachedFunction(
    this: unknown,
    a0?: unknown,
    a1?: unknown,
    a2?: unknown,
    a3?: unknown,
  ): Promise<unknown> {
    const { region } = core
    // biome-ignore lint/complexity/noArguments: its length costs nothing, rest parameters an array
    const count = arguments.length
    if (region !== undefined && plainKeys && count === 1) {
      const entry = hotEntry(region, memo, a0)
      if (entry !== undefined) {
        countHit(region)
        const { promise } = entry
        return promise === undefined ? entry.settled() : promise
      }
    }
    if (count <= 4) return slow(this, argumentList(count, a0, a1, a2, a3))
    // biome-ignore lint/complexity/noArguments: calls this long do not need the fast path
    return slow(this, [...(arguments as unknown as Iterable<unknown>)])
  }
}

/** The same for `peek`, which gives the value itself. */
export function hotPeek(core: WrappedCore, bound: object | undefined, slow: Slow<unknown>) {
  const { plainKeys, memo } = core
  return function peek(a0?: unknown, a1?: unknown, a2?: unknown, a3?: unknown): unknown {
    const { region } = core
    // biome-ignore lint/complexity/noArguments: its length costs nothing, rest parameters an array
    const count = arguments.length
    if (region !== undefined && plainKeys && count === 1) {
      const entry = hotEntry(region, memo, a0)
      if (entry !== undefined) {
        countHit(region)
        return entry.value
      }
    }
    if (count <= 4) return slow(bound, argumentList(count, a0, a1, a2, a3))
    // biome-ignore lint/complexity/noArguments: calls this long do not need the fast path
    return slow(bound, [...(arguments as unknown as Iterable<unknown>)])
  }
}

/**
 * The ticks of the coarse clock come between tasks, so a loop that awaits nothing but hits starves
 * them. Once in a thousand hits it is set by hand.
 */
function countHit(region: Region): void {
  if ((++region.hits & 1023) === 0) region.core.clock.wake()
}

/** The entry of a call with one argument, if it may be served with no look at anything else. */
function hotEntry(region: Region, memo: KeyMemo, argument: unknown): Entry | undefined {
  const entry = entryOf(region, memo, argument)
  return entry !== undefined &&
    region.coarse.now < entry.hotUntil &&
    (entry.meta === undefined || entry.meta.checkedAt === region.stamps.sequence)
    ? entry
    : undefined
}

function entryOf(region: Region, memo: KeyMemo, argument: unknown): Entry | undefined {
  if (typeof argument === 'string') {
    return argument.charCodeAt(0) === TILDE ? undefined : region.lru.get(argument, LOOKUP)
  }
  if (typeof argument === 'number') return region.lru.get(argument, LOOKUP)
  if (typeof argument !== 'object' || argument === null) return undefined
  try {
    return region.lru.get(memo.keyOfObject(argument), LOOKUP)
  } catch {
    // It makes no key: the slow path says so.
    return undefined
  }
}

function argumentList(
  count: number,
  a0: unknown,
  a1: unknown,
  a2: unknown,
  a3: unknown,
): readonly unknown[] {
  switch (count) {
    case 0:
      return []
    case 1:
      return [a0]
    case 2:
      return [a0, a1]
    case 3:
      return [a0, a1, a2]
    default:
      return [a0, a1, a2, a3]
  }
}
