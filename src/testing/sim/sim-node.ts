import { RedisSession } from '../../adapters/redis/redis-session.ts'
import type { StoreContext, StoreSession } from '../../contracts/store.ts'
import type { Cache } from '../../facade/cache.ts'
import { createCache } from '../../facade/create-cache.ts'
import type { LoadContext } from '../../read-path/policy.ts'
import { CELLS, type Cell, declaredTags, dynamicTags, isDirect } from './cells.ts'
import type { WorldSettings } from './operations.ts'
import { SimClock } from './sim-clock.ts'
import type { Value } from './sim-history.ts'
import { SimLink } from './sim-link.ts'
import type { Asking, SimOrigins } from './sim-origins.ts'
import type { SimRedis } from './sim-redis.ts'
import { SimTransport } from './sim-transport.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface NodeWorld {
  readonly settings: WorldSettings
  readonly time: VirtualTime
  readonly redis: SimRedis
  readonly origins: SimOrigins
  readonly random: () => number
  /** Puts something wrong between cache and session, on purpose. */
  readonly wrap: (session: StoreSession) => StoreSession
  readonly alter: (context: StoreContext) => StoreContext
}

const SETTINGS = {
  prefix: 'sim',
  timeoutMs: 50,
  coherence: 'bus',
  maxValueBytes: 1_000_000,
} as const

/** One process: a cache with a function and direct keys, over its own connections to Redis. */
export class SimNode implements Asking {
  readonly process: number
  readonly clock: SimClock
  readonly link: SimLink
  readonly cache: Cache
  readonly fn: ReturnType<SimNode['wrap']>
  /** What the caller sees, as `stats()` should count it. */
  readonly counted = { reads: 0, sets: 0, invalidations: 0 }
  pausedUntil = 0
  longestPauseMs = 0
  isGone = false
  transport: SimTransport | undefined
  readonly #world: NodeWorld
  readonly #direct = new Map(
    CELLS.map((cell) => [
      cell,
      {
        tags: declaredTags(cell),
        cacheIf: (value: Value) => this.#world.origins.isStorable(value),
      },
    ]),
  )
  #troubledAt: number
  /** Without those of the bus alone. */
  #dataTroubledAt: number

  constructor(process: number, world: NodeWorld) {
    this.process = process
    this.#world = world
    const { settings, time, random } = world
    this.#troubledAt = time.now
    this.#dataTroubledAt = time.now
    this.clock = new SimClock(time, this, time.now - Math.floor(5000 * random()))
    this.link = new SimLink(time, random)
    this.cache = createCache({
      name: 'simulation',
      clock: this.clock,
      random,
      l1: { ttl: settings.l1Ttl },
      l2: {
        source: 'standalone',
        coherence: 'bus',
        supports: { leases: true, atomic: true },
        timeoutMs: SETTINGS.timeoutMs,
        open: (context) => this.#open(context),
      },
      ttl: settings.ttl,
      grace: settings.grace,
      softTimeout: settings.softTimeout,
      hardTimeout: settings.hardTimeout,
      completeInBackground: settings.completeInBackground,
      refreshAhead: settings.refreshAhead,
      errorTtl: settings.errorTtl,
      jitter: 0,
      graceBackoff: 150,
    })
    this.cache.on('l2-state', () => this.noteTrouble())
    // What was asked or loaded before is not joined any more: nobody knows what it has missed.
    this.cache.on('gap', () => {
      for (const cell of CELLS) {
        this.#world.origins.allowAnother(this.process, cell)
        this.#world.origins.supersede(this.process, cell)
      }
    })
    this.cache.on('error', ({ kind }) => {
      if (kind.startsWith('l2-')) this.noteTrouble()
    })
    this.fn = this.wrap(settings)
  }

  /** Public so that its type has a name. */
  wrap(settings: WorldSettings) {
    const { origins } = this.#world
    return this.cache.cached(
      (context: LoadContext<Value>, cell: Cell) => origins.load(this, cell, context),
      {
        name: 'fn',
        context: true,
        tags: declaredTags,
        cacheIf: (value: Value) => origins.isStorable(value),
        ...(settings.manyOrigin
          ? {
              manyOrigin: (context: LoadContext<Value>, lists: [Cell][]) =>
                origins.loadMany(
                  this,
                  lists.map(([cell]) => cell),
                  context,
                ),
            }
          : {}),
      },
    )
  }

  getOrSet(cell: Cell, signal?: AbortSignal): Promise<Value> {
    const origin = (context: LoadContext<Value>): Promise<Value> =>
      this.#world.origins.load(this, cell, context)
    const options = this.#direct.get(cell) ?? {}
    return this.cache.getOrSet(cell, origin, signal ? { ...options, signal } : options)
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

  noteTrouble(at = this.#world.time.now): void {
    this.noteBusTrouble(at)
    this.#dataTroubledAt = Math.max(this.#dataTroubledAt, at)
  }

  /** The node can ask, and is not told. */
  noteBusTrouble(at = this.#world.time.now): void {
    this.#troubledAt = Math.max(this.#troubledAt, at)
  }

  /** The last instant at which Redis did not serve this process as it should. */
  trouble(): number {
    if (!this.isAnswered) this.noteTrouble()
    else if (!this.isServed) this.noteBusTrouble()
    return this.#troubledAt
  }

  /** The last instant at which Redis did not answer this process as it should; of the bus nothing is asked. */
  dataTrouble(): number {
    if (!this.isAnswered) this.noteTrouble()
    return this.#dataTroubledAt
  }

  get isServed(): boolean {
    return this.link.bus === 'ok' && this.transport?.isConnected === true && this.isAnswered
  }

  get isAnswered(): boolean {
    const { redis, time } = this.#world
    if (this.link.data !== 'ok' || redis.isDown || this.pausedUntil > time.now) return false
    if (!this.transport?.isDataConnected) return false
    const { state, breaker } = this.cache.health().l2
    return state === 'ready' && breaker.read === 'closed' && breaker.write === 'closed'
  }

  #open(context: StoreContext): StoreSession {
    const { time, redis, random, wrap, alter } = this.#world
    const world = {
      time,
      redis,
      link: this.link,
      owner: this,
      random,
      isClustered: this.#world.settings.isClustered,
    }
    const session = new RedisSession(
      alter(context),
      (_, events) => {
        const transport = new SimTransport(world, random, events)
        transport.onTrouble = (kind) => {
          if (kind === 'data') this.noteTrouble()
          else this.noteBusTrouble()
        }
        this.transport = transport
        return transport
      },
      SETTINGS,
    )
    return wrap(session)
  }
}
