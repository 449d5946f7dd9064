import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../contracts/clock.ts'
import type { BusMessage, Store } from '../contracts/store.ts'
import { Events } from '../kernel/events.ts'
import { realClock, realRandom } from '../kernel/real-clock.ts'
import { SharedTimers } from '../kernel/shared-timers.ts'
import { LocalBudget } from '../l1/local-level.ts'
import { Stamps } from '../l1/stamps.ts'
import { RemoteLevel } from '../l2/remote-level.ts'
import { BackgroundWork } from '../read-path/background-work.ts'
import type { CacheEvents } from '../read-path/cache-events.ts'
import type { Core } from '../read-path/core.ts'
import { LoadLimit } from '../read-path/load-limit.ts'
import { receive } from '../read-path/receive.ts'
import { Cache } from './cache.ts'
import type { CacheOptions } from './options.ts'
import { Regions } from './regions.ts'
import {
  checkCacheOptions,
  definedMembers,
  longestL1Ttl,
  resolveCompression,
  resolveL1,
} from './resolve-options.ts'
import { Territory } from './territory.ts'

/** What every entry of a cache carries implicitly. */
const ROOT_TAG = '!'

let caches = 0

/**
 * A cache over L1 (the memory of the process) and, if given, an L2. It never waits for L2 to start,
 * and never rejects because L2 is away.
 *
 * ```ts
 * const cache = createCache({ name: 'ai-service', ttl: '5m', grace: '1h' })
 * const getPartner = cache.cached(fetchPartner, { name: 'partner' })
 * await getPartner('12345678-5')
 * ```
 * @throws ERR_INVALID_OPTION for wrong options, naming the nearest right one
 */
export function createCache(options: CacheOptions = {}): Cache {
  return newCache(options).cache
}

/** A cache with what wrapped functions need of it. */
export function newCache(options: CacheOptions): { cache: Cache; territory: Territory } {
  checkCacheOptions(options)
  const { name = 'default', clock = realClock, random = realRandom } = options as CacheOptions
  const store = (options.l2 || undefined) as Store | undefined
  const l1 = resolveL1(options.l1)
  const events = new Events<CacheEvents>()
  const regions = new Regions()
  const onMessage = (message: BusMessage): void => receive(core, regions, message)
  const remote = store && openRemote(store, { name, clock, random, events, onMessage })
  // Numbered too: caches of one process may have been given the same seeded random.
  const prefix = `${process.pid.toString(36)}.${++caches}.${Math.floor(random() * 2 ** 48).toString(36)}`
  let tokens = 0
  const core: Core = {
    name,
    clock,
    timers: new SharedTimers(clock),
    random,
    budget: new LocalBudget(l1.maxEntries, l1.maxBytes),
    stamps: new Stamps(),
    remote,
    loads: new LoadLimit(options.maxLoads, () => remote !== undefined && !remote.usable),
    background: new BackgroundWork(),
    events,
    useL1: l1.useL1,
    get l1TtlMs() {
      const longest = longestL1Ttl(remote?.coherence)
      return l1.ttlMs === undefined ? longest : Math.min(l1.ttlMs, longest)
    },
    sharing: l1.values,
    compression: resolveCompression(options.compression),
    nextToken: () => `${prefix}.${(++tokens).toString(36)}`,
    rejectedEntries: 0,
    startedAt: clock.wall(),
    closed: false,
  }
  const territory = new Territory(
    {
      core,
      get l1TtlClamped() {
        return l1.ttlMs !== undefined && l1.ttlMs > longestL1Ttl(remote?.coherence)
      },
      names: new Set(),
      regions,
      inContext: AsyncLocalStorage.snapshot() as <R>(work: () => R) => R,
      named: options.name !== undefined,
    },
    { path: [], scopeTags: [ROOT_TAG], defaults: freshnessOf(options) },
  )
  const cache = new Cache(territory)
  options.metrics?.observeCache(cache)
  return { cache, territory }
}

interface Opening {
  readonly name: string
  readonly clock: Clock
  readonly random: () => number
  readonly events: Events<CacheEvents>
  readonly onMessage: (message: BusMessage) => void
}

function openRemote(
  store: Store,
  { name, clock, random, events, onMessage }: Opening,
): RemoteLevel {
  let degraded = false
  return new RemoteLevel(store, {
    clock,
    random,
    space: name,
    rootTag: ROOT_TAG,
    onState(health) {
      events.emit('l2-state', { cache: name, ...health })
      const now = health.state === 'down' || health.breaker.write !== 'closed' || health.readOnly
      if (now === degraded) return
      degraded = now
      events.emit('degraded', { cache: name, degraded })
    },
    onError: (kind, error) => events.emit('error', { cache: name, kind: `l2-${kind}`, error }),
    onMessage,
  })
}

function freshnessOf(options: CacheOptions): CacheOptions {
  const { name, l1, l2, compression, maxLoads, metrics, clock, random, ...freshness } = options
  return definedMembers(freshness)
}
