import { type Duration, kindOf, toMs } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import {
  checkBoolean,
  checkFunction,
  checkOptionNames,
  invalidOption,
  unknownName,
} from '../kernel/options.ts'
import { keyOf } from '../key/key-of.ts'
import type { RemoteHealth } from '../l2/store-status.ts'
import { type CacheEvents, EVENT_NAMES } from '../read-path/cache-events.ts'
import type { Core } from '../read-path/core.ts'
import { handOut } from '../read-path/hand-out.ts'
import {
  clearScope,
  type Durability,
  invalidateKeys,
  invalidateTags,
  setValue,
} from '../read-path/invalidate.ts'
import type { LoadContext, Policy } from '../read-path/policy.ts'
import { read } from '../read-path/read.ts'
import { readPlain } from '../read-path/read-plain.ts'
import type { CachedFunction } from './cached-function.ts'
import { closeCache } from './close-cache.ts'
import { type CachedDecorator, type ContextDecorator, cachedAs } from './decorator-shape.ts'
import { resolveGuard } from './load-guard.ts'
import type {
  ContextOptions,
  DecoratorOptions,
  Fixed,
  FunctionOptions,
  GetOrSetOptions,
  NamespaceOptions,
  SetOptions,
} from './options.ts'
import {
  checkGetOrSetOptions,
  checkName,
  checkNamespaceOptions,
  checkSetOptions,
  type Given,
  resolvePolicy,
} from './resolve-options.ts'
import type { CacheHealth, CacheStats } from './results.ts'
import { regionStats } from './stats.ts'
import type { Territory } from './territory.ts'

// One class and therefore one file: the methods are thin, and what they share is private to it.

/** One object, so that its policy is resolved once. */
const NO_OPTIONS = Object.freeze({})

const NO_L2 = {
  state: 'off',
  source: 'none',
  coherence: 'ttl-only',
  scripts: false,
  readOnly: false,
  breaker: { read: 'closed', write: 'closed' },
  timeoutsIgnored: 0,
} as const

/** A heartbeat, the patience with a message that it is ahead of, and the way of the reply. */
const BUS_STALENESS_MS = 1300

const CLOSE_DEADLINE_MS = 5000
const READY_TIMEOUT_MS = 5000

/**
 * A layered cache: L1 in the process, L2 behind it, the origin last. Made by `createCache`; a
 * namespace is one too.
 */
export class Cache {
  readonly name: string
  readonly #territory: Territory
  readonly #policies = new WeakMap<object, { policy: Policy; members: Given }>()

  /** Of `createCache` and `namespace`. */
  constructor(territory: Territory) {
    this.#territory = territory
    this.name = territory.name
  }

  /**
   * Wraps a function so that it remembers: `cached(fn, options)`. With options alone it gives a
   * method decorator (TC39 and legacy) that is also `(fn) => wrapped`.
   * @throws ERR_INVALID_OPTION for wrong options, naming the nearest right one
   */
  cached<A extends unknown[], V, S = Awaited<V>>(
    origin: (context: LoadContext<S>, ...args: A) => V,
    options: ContextOptions<Fixed<A>, NoInfer<Awaited<V>>>,
  ): CachedFunction<A, Awaited<V>>
  cached<A extends unknown[], V>(
    origin: (...args: A) => V,
    options?: FunctionOptions<Fixed<A>, NoInfer<Awaited<V>>>,
  ): CachedFunction<A, Awaited<V>>
  cached(options: DecoratorOptions & { context: true }): ContextDecorator
  cached(options?: DecoratorOptions): CachedDecorator
  cached(...call: unknown[]): unknown {
    return cachedAs(call, () => this.#territory)
  }

  /**
   * The value of `key`, loaded by `origin` when no level has it. Keys are anything that a cached
   * function takes as an argument.
   */
  async getOrSet<V, S = V>(
    key: unknown,
    origin: (context: LoadContext<S>) => V | PromiseLike<V>,
    options: GetOrSetOptions<NoInfer<V>> = NO_OPTIONS,
  ): Promise<V> {
    if (typeof origin !== 'function') {
      throw invalidOption(
        `getOrSet(key, origin, options) takes a function as origin, got ${kindOf(origin)}`,
      )
    }
    const policy = this.#getOrSetPolicy(options as Given)
    const direct = this.#territory.enter()
    try {
      const { region } = direct
      const request = {
        region,
        policy,
        key: keyOf([key]),
        args: [key],
        origin: (_args: readonly unknown[], context: unknown) => origin(context as LoadContext<S>),
      }
      const { signal } = options
      return handOut(region, await read(request, signal && { signal })) as V
    } finally {
      direct.users--
    }
  }

  /** The fresh value of a key, or `undefined`. */
  async get<V = unknown>(key: unknown): Promise<V | undefined> {
    return (await this.getMany<V>([key]))[0]
  }

  /** Fresh values in the order of the keys, `undefined` for those that no level has. One read of L2. */
  async getMany<V = unknown>(keys: readonly unknown[]): Promise<Array<V | undefined>> {
    if (!Array.isArray(keys)) throw invalidOption(`getMany() takes an array, got ${kindOf(keys)}`)
    const direct = this.#territory.enter()
    try {
      const { region } = direct
      const own = keys.map((key) => keyOf([key]))
      const found = await readPlain(region, own, this.#territory.directPolicy)
      return found.map((outcome) => outcome && (handOut(region, outcome) as V))
    } finally {
      direct.users--
    }
  }

  /** Puts a value in by hand, here at once. */
  async set(key: unknown, value: unknown, options: SetOptions = {}): Promise<Durability> {
    checkSetOptions(options)
    const direct = this.#territory.enter()
    try {
      const { region } = direct
      const { ttl, tags } = options as SetOptions
      return await setValue(region, keyOf([key]), value, this.#territory.directPolicy, {
        tags: (tags ?? []).map((tag) => region.tag(tag)),
        ttlMs: ttl === undefined ? undefined : toMs(ttl, 'ttl'),
      })
    } finally {
      direct.users--
    }
  }

  /** Removes a key everywhere. It is not served again, not even stale. */
  async delete(key: unknown): Promise<Durability> {
    const direct = this.#territory.enter()
    try {
      return await invalidateKeys(direct.region, [keyOf([key])], this.#territory.directPolicy)
    } finally {
      direct.users--
    }
  }

  /**
   * Entries with one of these tags are not served again: here from now on, in other processes as
   * soon as their L1 copy is checked against L2. O(1), however many entries there are. Tags of a
   * namespace are its own.
   */
  async invalidateTag(...tags: string[]): Promise<Durability> {
    return this.#stamp(tags, 'hard')
  }

  /** Entries with one of these tags are stale from now on, and may still be served in their grace. */
  async expireTag(...tags: string[]): Promise<Durability> {
    return this.#stamp(tags, 'soft')
  }

  /** Removes everything of this cache or namespace, nested namespaces included. O(1) in L2. */
  async clear(): Promise<Durability> {
    this.#territory.assertOpen()
    const { ownTag, strict } = this.#territory
    return clearScope(this.#core, this.#territory.regions(), {
      scopeTag: ownTag,
      strict,
      useL2: true,
    })
  }

  /**
   * A part of this cache with keys, tags and defaults of its own, sharing its levels. It costs nothing
   * until it is used, and its memory is given back when it has no entries left in L1. So ask for it
   * whenever you need it: one per tenant or per user is fine. Functions wrapped in it last until their
   * `dispose()`. Its `stats()` count from when it was first held.
   */
  namespace(name: string, defaults: NamespaceOptions = {}): Cache {
    checkName(name, 'the name of a namespace')
    checkNamespaceOptions(defaults)
    return new Cache(this.#territory.inner(name, defaults))
  }

  /**
   * Resolves when L2 is usable, or after `timeout` (5 s) in any case: a service need not wait for it.
   * @throws ERR_L2_UNAVAILABLE after `timeout`, only with `strict`
   */
  async ready(options: { timeout?: Duration; strict?: boolean } = {}): Promise<void> {
    checkOptionNames(options, ['timeout', 'strict'], 'ready()')
    checkBoolean(options.strict, 'strict')
    const ms = options.timeout === undefined ? READY_TIMEOUT_MS : toMs(options.timeout, 'timeout')
    const { remote } = this.#core
    if (!remote || (await remote.ready(ms)) || !options.strict) return
    throw new ResilienceError(
      'ERR_L2_UNAVAILABLE',
      `L2 was not ready within ${ms} ms; see health()`,
    )
  }

  health(): CacheHealth {
    const core = this.#core
    const l2 = core.remote?.health()
    const degraded = l2 && (l2.state !== 'ready' || l2.breaker.write !== 'closed' || l2.readOnly)
    return {
      status: core.closed ? 'down' : degraded ? 'degraded' : 'ok',
      l1: {
        entries: core.budget.entries,
        bytes: core.budget.bytes,
        ttlMs: core.l1TtlMs,
        ttlClamped: this.#territory.parts.l1TtlClamped,
      },
      l2: {
        ...(l2 ?? { ...NO_L2, since: core.startedAt }),
        stalenessMs: stalenessMs(core, l2),
      },
    }
  }

  stats(): CacheStats {
    return regionStats(this.#territory.regions(), this.#territory.past, this.#core)
  }

  /** Calls `listener` at each event. @returns a function that stops it */
  on<N extends keyof CacheEvents>(name: N, listener: (event: CacheEvents[N]) => void): () => void {
    if (!EVENT_NAMES.includes(name)) throw unknownName(String(name), EVENT_NAMES, 'no such event')
    if (listener === undefined) throw invalidOption('on(event, listener) takes a function')
    checkFunction(listener, 'the listener of on()')
    const off = this.#core.events.on(name, listener)
    if (name !== 'hit') return off
    const rechoose = (): void => {
      for (const region of this.#territory.parts.regions) region.chooseCoarse()
    }
    rechoose()
    return () => {
      off()
      rechoose()
    }
  }

  /**
   * Lets loads and writes under way end, up to `deadline` (5 s), then aborts what is left and closes
   * L2. Calls after that reject with `ERR_CLOSED`. Nothing keeps the process alive afterwards. A
   * namespace closes the whole cache.
   */
  async close(options: { deadline?: Duration } = {}): Promise<void> {
    checkOptionNames(options, ['deadline'], 'close()')
    const ms =
      options.deadline === undefined ? CLOSE_DEADLINE_MS : toMs(options.deadline, 'deadline')
    const { parts } = this.#territory
    parts.closing ??= closeCache(parts, ms)
    return parts.closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #stamp(tags: readonly string[], mode: 'hard' | 'soft'): Promise<Durability> {
    this.#territory.assertOpen()
    for (const tag of tags) {
      if (typeof tag !== 'string') throw invalidOption(`a tag must be text, got ${kindOf(tag)}`)
    }
    const { strict, tagPrefix } = this.#territory
    return invalidateTags(
      this.#core,
      tags.map((tag) => tagPrefix + tag),
      mode,
      strict,
    )
  }

  get #core(): Core {
    return this.#territory.parts.core
  }

  /** One object of options is resolved once, however often it is passed, unless a member changed. */
  #getOrSetPolicy(options: Given): Policy {
    const known = this.#policies.get(options)
    if (known && hasSameMembers(known.members, options)) return known.policy
    checkGetOrSetOptions(options)
    const { signal: _signal, tags, ...rest } = options
    const own = { ...rest, tags: tags === undefined ? undefined : () => tags, context: true }
    const guard = resolveGuard(options.guard, 'getOrSet()', this.#core)
    const policy = resolvePolicy(own, this.#territory.defaults, 'getOrSet()', guard)
    this.#policies.set(options, { policy, members: { ...options } })
    return policy
  }
}

function hasSameMembers(one: Given, other: Given): boolean {
  const names = Object.keys(other)
  return (
    names.length === Object.keys(one).length &&
    names.every((name) => Object.is(one[name], other[name]))
  )
}

function stalenessMs({ l1TtlMs }: Core, l2: RemoteHealth | undefined): number {
  // Without an answer from L2 a copy is served until its own ttl ends.
  if (l2?.state !== 'ready') return Number.POSITIVE_INFINITY
  return l2.coherence === 'bus' ? Math.min(BUS_STALENESS_MS, l1TtlMs) : l1TtlMs
}
