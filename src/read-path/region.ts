import { AsyncLocalStorage } from 'node:async_hooks'
import { PassingMap, PassingSet } from '../kernel/passing-map.ts'
import { keyOf } from '../key/key-of.ts'
import { storeKey, storePrefix } from '../key/store-key.ts'
import type { LocalKey } from '../l1/local-level.ts'
import type { Stamps } from '../l1/stamps.ts'
import type { Core } from './core.ts'
import type { Found } from './found.ts'
import { unverify } from './freshness.ts'
import { GivenUpLeases } from './given-up-leases.ts'
import type { InFlight } from './in-flight.ts'
import type { Source } from './outcome.ts'
import { RegionLevel } from './region-level.ts'
import { RetryTimes } from './retry-times.ts'
import { SharedReads } from './shared-reads.ts'

/** A reading that is past every limit: whoever compares with it takes the exact path. */
const ASLEEP = { now: Number.POSITIVE_INFINITY }

/** Tags that many entries share are few; what each entry has to itself is not worth remembering. */
const MOST_TAGS_REMEMBERED = 256

export interface RegionOptions {
  /** As metrics and events show it. */
  readonly label: string
  /** Namespaces from the outermost in, then the function with its version: the way to its keys. */
  readonly path: readonly string[]
  /** The tags that every entry here carries implicitly: of the cache, its namespaces, the function. */
  readonly scopeTags: readonly string[]
  /** Put before user tags: tags are apart between namespaces. */
  readonly tagPrefix: string
}

/** All that one cached function owns: its entries, its loads under way, its counters. */
export class Region {
  readonly core: Core
  readonly label: string
  readonly scopeTags: readonly string[]
  readonly tagPrefix: string
  readonly local: RegionLevel
  /** That of `local`, one step nearer for the fast path. */
  lru: RegionLevel['lru']
  readonly stamps: Stamps
  readonly flights = new PassingMap<LocalKey, InFlight>()
  /** All loads that have not ended, those that are not joined any more too. */
  readonly running = new PassingSet<InFlight>()
  /** Runs work in the async context the function was wrapped in, not in that of whoever calls first. */
  readonly inOwnContext: <R>(work: () => R) => R
  /** Coarse time as the fast path reads it; asleep while every hit has to be seen or copied. */
  coarse: { readonly now: number }
  /** Grows with every write by key: a plain read that overlaps one does not promote. */
  writes = 0
  readonly retries = new RetryTimes()
  readonly comparisons = new SharedReads<ReadonlyMap<LocalKey, Found> | undefined>()
  readonly givenUp = new GivenUpLeases()
  /** Ask L2 whether the loads under way may still be joined. */
  readonly checks = new Set<() => void>()

  hits = 0
  hitsL2 = 0
  hitsL3 = 0
  missesL3 = 0
  misses = 0
  stale = 0
  coalesced = 0
  originCalls = 0
  originErrors = 0
  sets = 0
  invalidations = 0

  readonly #prefix: string
  readonly #tags = new Map<string, string>()

  constructor(core: Core, options: RegionOptions) {
    this.core = core
    this.label = options.label
    this.scopeTags = options.scopeTags
    this.tagPrefix = options.tagPrefix
    this.#prefix = storePrefix(core.name, ...options.path)
    const owner = {
      evicted: (key: LocalKey) => this.#evicted(key),
      lruReplaced: (lru: RegionLevel['lru']) => {
        this.lru = lru
      },
    }
    this.local = new RegionLevel(core.budget, owner, (key) => this.#digestOf(key))
    this.lru = this.local.lru
    this.stamps = core.stamps
    this.inOwnContext = AsyncLocalStorage.snapshot() as <R>(work: () => R) => R
    this.coarse = ASLEEP
    this.chooseCoarse()
  }

  /** Called again whenever a listener for hits comes or goes. */
  chooseCoarse(): void {
    const { core } = this
    const everyHitMatters = core.sharing === 'clone' || core.events.has('hit')
    this.coarse = everyHitMatters ? ASLEEP : core.clock.coarse
  }

  /** The entry's name in L2 and in `key()`. */
  storeKey(key: LocalKey): string {
    return storeKey(this.#prefix, keyText(key))
  }

  /** One text for one tag, however many entries carry it: each text of its own would cost 32 bytes. */
  tag(name: string): string {
    let tag = this.#tags.get(name)
    if (tag === undefined) {
      if (this.#tags.size >= MOST_TAGS_REMEMBERED) this.#tags.clear()
      tag = this.tagPrefix + name
      this.#tags.set(name, tag)
    }
    return tag
  }

  /** Another process has written the key. */
  written(storeKey: string, at: { sequence: number; epoch: number }): void {
    for (const key of this.#localKeys(storeKey)) {
      this.writes++
      const entry = this.lru.peek(key)
      if (entry) unverify(entry)
      this.flights.get(key)?.overtake(at)
    }
  }

  /** Another process has deleted the key. */
  deleted(storeKey: string): void {
    for (const key of this.#localKeys(storeKey)) {
      this.lru.delete(key)
      this.flights.get(key)?.detach()
      this.writes++
    }
  }

  /** Another process has given up loading the key. */
  released(storeKey: string): void {
    for (const key of this.#localKeys(storeKey)) this.flights.get(key)?.wake()
  }

  empty(): void {
    this.local.clear()
    this.writes++
  }

  /** Counts so many reads by how they were answered. */
  count(source: Source, reads: number): void {
    if (source === 'l1') this.hits += reads
    else if (source === 'l2') this.hitsL2 += reads
    else if (source === 'stale') this.stale += reads
    else this.misses += reads
  }

  dispose(): void {
    for (const flight of this.flights.values()) flight.detach()
    this.local.dispose()
  }

  /** The local keys that a key of L2 may stand for; none if it is not of this region. */
  #localKeys(storeKey: string): Iterable<LocalKey> {
    if (!storeKey.startsWith(this.#prefix)) return []
    const text = storeKey.slice(this.#prefix.length)
    if (isDigest(text)) return this.#keysWithDigest(storeKey)
    const number = text.startsWith('~') ? Number(text.slice(1)) : Number.NaN
    return keyOf([number]) === text ? [number, text] : [text]
  }

  /** The key in L2, if it is a digest; only messages of other processes name entries so. */
  #digestOf(key: LocalKey): string | undefined {
    if (this.core.remote === undefined || typeof key === 'number') return undefined
    const storeKey = this.storeKey(key)
    return isDigest(storeKey.slice(this.#prefix.length)) ? storeKey : undefined
  }

  #keysWithDigest(storeKey: string): Set<LocalKey> {
    const keys = new Set<LocalKey>()
    const known = this.local.keyOfDigest(storeKey)
    if (known !== undefined) keys.add(known)
    for (const [key, flight] of this.flights) if (flight.storeKey === storeKey) keys.add(key)
    return keys
  }

  #evicted(key: LocalKey): void {
    const { core, label } = this
    if (core.events.has('evict')) {
      core.events.emit('evict', { cache: core.name, function: label, key: keyText(key) })
    }
  }
}

function keyText(key: LocalKey): string {
  return typeof key === 'number' ? keyOf([key]) : key
}

/** In place of a key that is too long or unsafe; it does not tell what it was made of. */
function isDigest(text: string): boolean {
  return text.startsWith('~h')
}
