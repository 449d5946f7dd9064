import { afterEach } from 'vitest'
import { type Cache, type CacheOptions, createCache, memory, type Store } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

export { FakeClock, memory }

const open: Array<{ cache: Cache; clock: FakeClock }> = []

/** A cache on a clock of its own that does nothing by chance, with what is given on top. */
export function testCache(options: CacheOptions = {}): { cache: Cache; clock: FakeClock } {
  const clock = (options.clock as FakeClock | undefined) ?? new FakeClock(1000)
  const cache = createCache({
    name: 'regression',
    random: () => 0.5,
    jitter: 0,
    refreshAhead: false,
    ttl: '1m',
    ...options,
    clock,
  })
  open.push({ cache, clock })
  return { cache, clock }
}

/** Two caches over one store, as two processes are. */
export function twoProcesses(options: CacheOptions = {}): {
  a: Cache
  b: Cache
  clock: FakeClock
  store: Store
} {
  const store = (options.l2 as Store | undefined) ?? memory()
  const clock = new FakeClock(1000)
  const a = testCache({ ...options, l2: store, clock }).cache
  const b = testCache({ ...options, l2: store, clock }).cache
  return { a, b, clock, store }
}

/** A store whose messages never arrive. */
export function withoutBus(store: Store): Store {
  return {
    ...store,
    open(context) {
      const { onMessage: _, ...deaf } = context
      return store.open(deaf)
    },
  }
}

/** An origin that answers when told to. */
export class HeldOrigin<V> {
  readonly #calls: PromiseWithResolvers<V>[] = []
  calls = 0

  readonly load = (): Promise<V> => {
    this.calls++
    const call = Promise.withResolvers<V>()
    this.#calls.push(call)
    return call.promise
  }

  async answer(value: V): Promise<void> {
    this.#calls.shift()?.resolve(value)
    await settle()
  }

  async fail(error: unknown): Promise<void> {
    this.#calls.shift()?.reject(error)
    await settle()
  }
}

/** All promises that can settle have settled. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

afterEach(async () => {
  for (const { cache, clock } of open.splice(0)) {
    await Promise.all([cache.close({ deadline: 0 }), clock.advance(1)])
  }
})
