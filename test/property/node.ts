import { createCache, type LoadContext, type Store } from '../../src/index.ts'
import { type ChaosStore, chaosStore } from '../../src/testing/chaos-store.ts'
import type { FakeClock } from '../../src/testing/fake-clock.ts'
import type { Value } from './history.ts'
import {
  CELLS,
  type Cell,
  declaredTags,
  dynamicTags,
  isDirect,
  type L2State,
  type World,
} from './operations.ts'
import type { Origins } from './origins.ts'
import { StoreLog, scheduledStore, type Traffic } from './scheduled-store.ts'

const RATES: Record<L2State, { throws: number; hangs: number; late: number }> = {
  healthy: { throws: 0, hangs: 0, late: 0 },
  killed: { throws: 1, hangs: 0, late: 0 },
  hanging: { throws: 0, hangs: 1, late: 0 },
  late: { throws: 0, hangs: 0, late: 1 },
}

export interface NodeOptions {
  readonly index: number
  readonly world: World
  readonly clock: FakeClock
  readonly random: () => number
  readonly store: Store
  readonly traffic: Traffic
  readonly origins: Origins
}

/** One process: a cache with a function and direct keys, over its own connection to the store. */
export class Node {
  readonly index: number
  readonly log: StoreLog
  readonly cache: ReturnType<typeof createCache>
  readonly fn: ReturnType<Node['wrap']>
  readonly #chaos: ChaosStore
  readonly #origins: Origins
  readonly #direct: ReadonlyMap<Cell, { tags: readonly string[] }>

  constructor({ index, world, clock, random, store, traffic, origins }: NodeOptions) {
    this.index = index
    this.log = new StoreLog(clock, store.timeoutMs)
    // What is being loaded may be older than what was written: it is not joined any more. Nor after an
    // invalidation, as often as a message of it comes: what L2 did not acknowledge in time is told again,
    // which nobody can tell from a new one, and L2 may have shown it before its message came.
    this.log.onOvertaken = (keys) => {
      for (const cell of CELLS) {
        if (keys?.every((key) => !key.endsWith(`~${cell}`))) continue
        origins.allowAnother(index, cell)
      }
    }
    this.#origins = origins
    this.#chaos = chaosStore(store, { seed: index + 1 })
    const { ttl, grace, softTimeout, hardTimeout, completeInBackground, refreshAhead } = world
    this.cache = createCache({
      name: 'property',
      clock,
      random,
      l1: { ttl: world.l1Ttl },
      l2: world.withL2 && scheduledStore(this.#chaos, traffic, this.log),
      ttl,
      grace,
      softTimeout,
      hardTimeout,
      completeInBackground,
      refreshAhead,
      errorTtl: world.errorTtl,
      jitter: 0,
      graceBackoff: 150,
      ...(world.maxLoads === undefined ? {} : { maxLoads: world.maxLoads }),
    })
    // Nor is it when L2 has lost what was told to it, as often as that is noticed.
    this.cache.on('gap', () => this.log.onOvertaken())
    this.fn = this.wrap(world)
    this.#direct = new Map(([2, 3] as const).map((cell) => [cell, { tags: declaredTags(cell) }]))
  }

  wrap(world: World) {
    const { log } = this
    const load = (context: LoadContext<Value>, cell: Cell): Promise<Value> =>
      this.#origins.load(this.index, cell, context, log)
    const loadMany = (context: LoadContext<Value>, lists: [Cell][]) =>
      this.#origins.loadMany(
        this.index,
        lists.map(([cell]) => cell),
        context,
        log,
      )
    return this.cache.cached(load, {
      name: 'fn',
      context: true,
      tags: declaredTags,
      ...(world.manyOrigin ? { manyOrigin: loadMany } : {}),
    })
  }

  getOrSet(cell: Cell, signal?: AbortSignal): Promise<Value> {
    const origin = (context: LoadContext<Value>): Promise<Value> =>
      this.#origins.load(this.index, cell, context, this.log)
    const options = this.#direct.get(cell)
    return this.cache.getOrSet(cell, origin, signal ? { ...options, signal } : { ...options })
  }

  set(cell: Cell, value: Value): Promise<{ durable: boolean }> {
    const dynamic = dynamicTags(cell)
    return isDirect(cell)
      ? this.cache.set(cell, value, { tags: [...declaredTags(cell), ...dynamic] })
      : this.fn.set([cell], value, { tags: dynamic })
  }

  invalidate(cell: Cell): Promise<{ durable: boolean }> {
    return isDirect(cell) ? this.cache.delete(cell) : this.fn.invalidate(cell)
  }

  become(state: L2State): void {
    this.#chaos.set(RATES[state])
  }

  /** When L2 last did not serve this node as it should, `now` if it does not at present. */
  trouble(now: number): number {
    const { state, breaker } = this.cache.health().l2
    const served = state === 'off' || (state === 'ready' && breaker.read === breaker.write)
    return served && breaker.read === 'closed' ? this.log.trouble() : now
  }
}
