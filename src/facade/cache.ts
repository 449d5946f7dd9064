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
import type { CacheEvents } from '../read-path/cache-events.ts'
import type { Core } from '../read-path/core.ts'
import {
  clearScope,
  type Durability,
  invalidateKeys,
  invalidateTags,
  setValue,
} from '../read-path/invalidate.ts'
import type { LoadContext, Policy } from '../read-path/policy.ts'
import { handOut, read } from '../read-path/read.ts'
import { readPlain } from '../read-path/read-plain.ts'
import { Region } from '../read-path/region.ts'
import type { CachedFunction } from './cached-function.ts'
import { type CachedDecorator, type ContextDecorator, cachedAs } from './decorator-shape.ts'
import type {
  ContextOptions,
  DecoratorOptions,
  Fixed,
  FreshnessOptions,
  FunctionOptions,
  GetOrSetOptions,
  NamespaceOptions,
  SetOptions,
} from './options.ts'
import type { RegionOpener } from './region-opener.ts'
import {
  checkGetOrSetOptions,
  checkName,
  checkNamespaceOptions,
  checkSetOptions,
  definedMembers,
  type Given,
  resolvePolicy,
} from './resolve-options.ts'
import type { CacheHealth, CacheStats } from './results.ts'
import { regionStats } from './stats.ts'

// One class and therefore one file: the methods are thin, and what they share is private to it.

const EVENTS: ReadonlyArray<keyof CacheEvents> = [
  'hit',
  'miss',
  'stale',
  'origin',
  'error',
  'evict',
  'invalidate',
  'l2-state',
  'gap',
  'degraded',
]

/** One object, so that its policy is resolved once. */
const NO_OPTIONS = Object.freeze({})

let unnamed = 0

const CLOSE_DEADLINE_MS = 5000
const READY_TIMEOUT_MS = 5000

/** Where in a cache a `Cache` object stands: at its root, or in a namespace. */
export interface Scope {
  /** Names of the namespaces, from the outermost in. */
  readonly path: readonly string[]
  /** Of the cache and the namespaces on the way. */
  readonly tags: readonly string[]
  readonly defaults: FreshnessOptions
}

export interface CacheParts {
  readonly core: Core
  readonly l1TtlClamped: boolean
  /** Names of live functions, of all namespaces. */
  readonly names: Set<string>
  /** Of all namespaces. */
  readonly regions: Set<Region>
  /** Runs work in the async context the cache was made in. */
  readonly inContext: <R>(work: () => R) => R
  /** Whether the user named the cache: with an L2 it has to have a name. */
  readonly named: boolean
  /** One keyspace for all `Cache` objects of one namespace, by its path. */
  readonly direct: Map<string, Region>
  /** The one end of all `Cache` objects: whoever closes again waits for it too. */
  closing?: Promise<void>
}

/**
 * A layered cache: L1 in the process, L2 behind it, the origin last. Made by `createCache`; a
 * namespace is one too.
 */
export class Cache implements RegionOpener {
  readonly name: string
  readonly #core: Core
  readonly #parts: CacheParts
  readonly #scope: Scope
  #direct: { region: Region; policy: Policy } | undefined
  readonly #policies = new WeakMap<object, Policy>()

  constructor(parts: CacheParts, scope: Scope) {
    this.#parts = parts
    this.#core = parts.core
    this.#scope = scope
    this.name = [parts.core.name, ...scope.path].join('/')
  }

  get hasL2(): boolean {
    return this.#core.remote !== undefined
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
    return cachedAs(call, () => this)
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
    const { region } = this.#directRegion()
    const policy = this.#getOrSetPolicy(options as Given)
    const request = {
      region,
      policy,
      key: keyOf([key]),
      args: [key],
      origin: (_args: readonly unknown[], context: unknown) => origin(context as LoadContext<S>),
    }
    const { signal } = options
    return handOut(region, await read(request, signal && { signal })) as V
  }

  /** The fresh value of a key, or `undefined`. */
  async get<V = unknown>(key: unknown): Promise<V | undefined> {
    return (await this.getMany<V>([key]))[0]
  }

  /** Fresh values in the order of the keys, `undefined` for those that no level has. One read of L2. */
  async getMany<V = unknown>(keys: readonly unknown[]): Promise<Array<V | undefined>> {
    if (!Array.isArray(keys)) throw invalidOption(`getMany() takes an array, got ${kindOf(keys)}`)
    const { region, policy } = this.#directRegion()
    const found = await readPlain(
      region,
      keys.map((key) => keyOf([key])),
      policy,
    )
    return found.map((outcome) => outcome && (handOut(region, outcome) as V))
  }

  /** Puts a value in by hand, here at once. */
  async set(key: unknown, value: unknown, options: SetOptions = {}): Promise<Durability> {
    checkSetOptions(options)
    const { region, policy } = this.#directRegion()
    const { ttl, tags } = options as SetOptions
    return setValue(region, keyOf([key]), value, policy, {
      tags: (tags ?? []).map((tag) => region.tag(tag)),
      ttlMs: ttl === undefined ? undefined : toMs(ttl, 'ttl'),
    })
  }

  /** Removes a key everywhere. It is not served again, not even stale. */
  async delete(key: unknown): Promise<Durability> {
    const { region, policy } = this.#directRegion()
    return invalidateKeys(region, [keyOf([key])], policy)
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
    this.#assertOpen()
    return clearScope(this.#core, this.#parts.regions, this.#ownTag, this.#strict)
  }

  /** A part of this cache with keys, tags and defaults of its own, sharing its levels. */
  namespace(name: string, defaults: NamespaceOptions = {}): Cache {
    checkName(name, 'the name of a namespace')
    checkNamespaceOptions(defaults)
    const path = [...this.#scope.path, name]
    return new Cache(this.#parts, {
      path,
      tags: [...this.#scope.tags, `!${pathText(path)}`],
      defaults: { ...this.#scope.defaults, ...definedMembers(defaults) },
    })
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
    const degraded = l2 !== undefined && l2.state !== 'ready'
    return {
      status: core.closed ? 'down' : degraded ? 'degraded' : 'ok',
      l1: {
        entries: core.budget.entries,
        bytes: core.budget.bytes,
        ttlMs: core.l1TtlMs,
        ttlClamped: this.#parts.l1TtlClamped,
      },
      l2: l2 ?? {
        state: 'off',
        source: 'none',
        coherence: 'ttl-only',
        scripts: false,
        breaker: { read: 'closed', write: 'closed' },
        since: core.startedAt,
      },
    }
  }

  stats(): CacheStats {
    return regionStats(this.#regions(), this.#core)
  }

  /** Calls `listener` at each event. @returns a function that stops it */
  on<N extends keyof CacheEvents>(name: N, listener: (event: CacheEvents[N]) => void): () => void {
    if (!EVENTS.includes(name)) throw unknownName(String(name), EVENTS, 'no such event')
    if (listener === undefined) throw invalidOption('on(event, listener) takes a function')
    checkFunction(listener, 'the listener of on()')
    const off = this.#core.events.on(name, listener)
    if (name !== 'hit') return off
    const rechoose = (): void => {
      for (const region of this.#parts.regions) region.chooseCoarse()
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
    this.#parts.closing ??= this.#close(ms)
    return this.#parts.closing
  }

  async #close(ms: number): Promise<void> {
    const core = this.#core
    core.closed = true
    for (const region of this.#parts.regions) region.lru.clear()
    await this.#drain(ms)
    for (const region of this.#parts.regions) {
      for (const flight of [...region.running]) {
        flight.abort(new ResilienceError('ERR_CLOSED', `the cache '${core.name}' was closed`))
      }
    }
    await core.remote?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Makes the region of a wrapped function at its first use. */
  openRegion(
    label: string,
    name: string | undefined,
    version: string | number | undefined,
    options: Given,
  ): { region: Region; policy: Policy } {
    this.#assertOpen()
    const policy = resolvePolicy(options, this.#scope.defaults, `'${label}'`)
    if (this.hasL2 && policy.useL2) {
      this.#requireCacheName()
      if (name === undefined) {
        throw invalidOption(
          `the cached function '${label}' needs a name with an L2: it is part of its keys there`,
        )
      }
    }
    if (name !== undefined) this.#takeName(name)
    // Neither meets a namespace, which begins with `+`, nor each other.
    const segment = (name ?? label).replace(/^[+%]/, encodeURIComponent)
    const segments = version === undefined ? [segment] : [segment, `v${version}`]
    // Functions without a name may share a label: they must not share what clear() stamps.
    const own = name === undefined ? `?${++unnamed}` : segments.map(encodeURIComponent).join(':')
    const region = new Region(this.#core, {
      label,
      path: [...this.#scope.path.map((part) => `+${part}`), ...segments],
      scopeTags: [...this.#scope.tags, `!${pathText(this.#scope.path)}:${own}`],
      tagPrefix: `${pathText(this.#scope.path)}#`,
    })
    this.#parts.regions.add(region)
    return { region, policy }
  }

  closeRegion(region: Region, name: string | undefined): void {
    region.dispose()
    this.#parts.regions.delete(region)
    if (name !== undefined) this.#parts.names.delete(this.#nameKey(name))
  }

  async #stamp(tags: readonly string[], mode: 'hard' | 'soft'): Promise<Durability> {
    this.#assertOpen()
    for (const tag of tags) {
      if (typeof tag !== 'string') throw invalidOption(`a tag must be text, got ${kindOf(tag)}`)
    }
    const prefix = `${pathText(this.#scope.path)}#`
    return invalidateTags(
      this.#core,
      tags.map((tag) => prefix + tag),
      mode,
      this.#strict,
    )
  }

  get #ownTag(): string {
    return this.#scope.tags.at(-1) as string
  }

  get #strict(): boolean {
    return this.#scope.defaults.strict === true
  }

  /** The keyspace of `getOrSet`, `get`, `set` and `delete`. */
  #directRegion(): { region: Region; policy: Policy } {
    this.#assertOpen()
    if (this.#direct) return this.#direct
    if (this.hasL2) this.#requireCacheName()
    // `set` may give its own ttl, `get` needs none: only a value without any has no place here.
    const defaults = { ttl: Number.POSITIVE_INFINITY, ...this.#scope.defaults }
    const policy = resolvePolicy({}, defaults, `'${this.name}'`)
    const place = pathText(this.#scope.path)
    const region =
      this.#parts.direct.get(place) ??
      this.#parts.inContext(
        () =>
          new Region(this.#core, {
            label: 'direct',
            path: this.#scope.path.map((part) => `+${part}`),
            scopeTags: this.#scope.tags,
            tagPrefix: `${place}#`,
          }),
      )
    this.#parts.direct.set(place, region)
    this.#parts.regions.add(region)
    this.#direct = { region, policy }
    return this.#direct
  }

  /** One object of options is resolved once, however often it is passed. */
  #getOrSetPolicy(options: Given): Policy {
    let policy = this.#policies.get(options)
    if (policy === undefined) {
      checkGetOrSetOptions(options)
      const { signal: _signal, tags, ...rest } = options
      const own = { ...rest, tags: tags === undefined ? undefined : () => tags, context: true }
      policy = resolvePolicy(own, this.#scope.defaults, 'getOrSet()')
      this.#policies.set(options, policy)
    }
    return policy
  }

  #requireCacheName(): void {
    if (this.#parts.named) return
    throw invalidOption(
      'createCache() needs a name with an L2: it is the namespace of its keys there',
    )
  }

  #takeName(name: string): void {
    const key = this.#nameKey(name)
    if (this.#parts.names.has(key)) {
      throw invalidOption(
        `a cached function named '${name}' is alive in this cache already: ` +
          'give this one another name, or dispose() of the other',
      )
    }
    this.#parts.names.add(key)
  }

  #nameKey(name: string): string {
    return `${pathText(this.#scope.path)}:${name}`
  }

  #regions(): Region[] {
    return [...this.#parts.regions].filter((region) => region.scopeTags.includes(this.#ownTag))
  }

  async #drain(ms: number): Promise<void> {
    const { background, clock } = this.#core
    if (background.size === 0) return
    let timer: unknown
    const deadline = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, ms)
    })
    await Promise.race([background.drained(), deadline])
    clock.clearTimeout(timer)
  }

  #assertOpen(): void {
    if (!this.#core.closed) return
    throw new ResilienceError(
      'ERR_CLOSED',
      `the cache '${this.name}' is closed; create another one`,
    )
  }
}

/** Unambiguous whatever the names: each is escaped and begins with `+`. */
function pathText(path: readonly string[]): string {
  return path.map((part) => `+${encodeURIComponent(part)}`).join('')
}
