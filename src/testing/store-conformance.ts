import type { Store } from '../contracts/store.ts'
import { busBehaviours } from './store-bus-behaviours.ts'
import { entryBehaviours } from './store-entry-behaviours.ts'
import { leaseBehaviours } from './store-lease-behaviours.ts'
import { lifecycleBehaviours } from './store-lifecycle-behaviours.ts'
import { randomBehaviours } from './store-random-operations.ts'
import { sharingBehaviours } from './store-sharing-behaviours.ts'
import { stampBehaviours } from './store-stamp-behaviours.ts'
import { type Behaviour, StoreWorld } from './store-world.ts'

export interface StoreConformanceOptions<S extends Store = Store> {
  /** `test` of vitest, of `node:test`, or anything that takes a name and an async function. */
  readonly test: (name: string, run: (context?: unknown) => Promise<void>) => unknown
  /**
   * Makes the store of one test, without data of an earlier run. The suite opens it several times
   * with one `FakeClock`, and every instant it asks for is of that clock's `wall()`.
   */
  readonly makeStore: () => S | Promise<S>
  /**
   * For a store whose time is not the `FakeClock`'s: makes `ms` milliseconds pass for what it
   * holds, before the clock is moved by as much. Instants then come true within two seconds instead
   * of exactly.
   */
  readonly advance?: (ms: number) => Promise<void>
  /**
   * The store cuts its keys into parts, each with a sequence of its own, apart from that of the
   * stamps: what one sequence for all of it implies is then not asked, and commits need not be
   * checked against the stamps, since every read is.
   */
  readonly partitioned?: boolean
  /** Called after each test, when all its sessions are closed. */
  readonly cleanup?: (store: S) => void | Promise<void>
  /** Of the random operations; their tests show it in their names. @default 20261101 */
  readonly seed?: number
}

const BEHAVIOURS: readonly Behaviour[] = [
  ...lifecycleBehaviours,
  ...entryBehaviours,
  ...sharingBehaviours,
  ...leaseBehaviours,
  ...stampBehaviours,
  ...busBehaviours,
]

/**
 * Registers the tests that every store must pass, your own too. They need nothing but `node:assert`.
 *
 * ```ts
 * import { test } from 'vitest'
 * storeConformance({ test, makeStore: () => myStore() })
 * ```
 *
 * What a store declares to lack (`supports`, `coherence`) is not asked of it: it is checked instead
 * that it does without in the documented way. Tests that do not apply are skipped where the runner
 * can do that, and pass otherwise.
 */
export function storeConformance<S extends Store>(options: StoreConformanceOptions<S>): void {
  const { test, makeStore, cleanup, seed = 20_261_101, advance, partitioned } = options
  for (const { name, needs, run } of [...BEHAVIOURS, ...randomBehaviours(seed)]) {
    test(name, async (context) => {
      const store = await makeStore()
      const world = new StoreWorld(store, seed, {
        ...(advance ? { advance } : {}),
        partitioned: partitioned === true,
      })
      try {
        if (needs && world.lacks(needs))
          skip(context, `for stores with ${[needs].flat().join(' and ')}`)
        else await run(world)
      } finally {
        await world.close()
        await cleanup?.(store)
      }
    })
  }
}

/** vitest and node:test both hand a `skip` to the test. */
function skip(context: unknown, why: string): void {
  const { skip } = (context ?? {}) as { skip?: (why: string) => void }
  if (typeof skip === 'function') skip.call(context, why)
}
