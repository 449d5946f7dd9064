import { ResilienceError } from '../kernel/errors.ts'
import { invalidOption } from '../kernel/options.ts'
import type { Core } from '../read-path/core.ts'
import type { Policy } from '../read-path/policy.ts'
import { Region } from '../read-path/region.ts'
import { resolveGuard } from './load-guard.ts'
import type { FreshnessOptions } from './options.ts'
import type { RegionOpener } from './region-opener.ts'
import type { DirectRegion, Regions } from './regions.ts'
import { definedMembers, type Given, resolvePolicy } from './resolve-options.ts'
import type { Counts } from './stats.ts'

let unnamed = 0

/** What all namespaces of one cache share beyond its core. */
export interface CacheParts {
  readonly core: Core
  readonly l1TtlClamped: boolean
  /** Names of live functions, of all namespaces. */
  readonly names: Set<string>
  /** Of all namespaces. */
  readonly regions: Regions
  /** Runs work in the async context the cache was made in. */
  readonly inContext: <R>(work: () => R) => R
  /** Whether the user named the cache: with an L2 it has to have a name. */
  readonly named: boolean
  /** The one end of all `Cache` objects: whoever closes again waits for it too. */
  closing?: Promise<void>
}

/** Where in a cache a `Cache` object stands: at its root, or in a namespace. */
interface Place {
  /** Names of the namespaces, from the outermost in. */
  readonly path: readonly string[]
  /** Of the cache and the namespaces on the way. */
  readonly scopeTags: readonly string[]
  readonly defaults: FreshnessOptions
}

/**
 * A cache or one of its namespaces as the owner of regions: it gives them names, keys and tags that
 * no other one has.
 */
export class Territory implements RegionOpener {
  readonly parts: CacheParts
  readonly name: string
  readonly defaults: FreshnessOptions
  /** Put before user tags. */
  readonly tagPrefix: string
  readonly #path: readonly string[]
  readonly #scopeTags: readonly string[]
  /** What its regions that are gone have counted. */
  readonly past: Counts
  #directPolicy: Policy | undefined

  constructor(parts: CacheParts, { path, scopeTags, defaults }: Place) {
    this.parts = parts
    this.name = [parts.core.name, ...path].join('/')
    this.defaults = defaults
    this.tagPrefix = `${pathText(path)}#`
    this.#path = path
    this.#scopeTags = scopeTags
    this.past = parts.regions.past(this.ownTag)
  }

  get hasL2(): boolean {
    return this.parts.core.remote !== undefined
  }

  /** The tag that everything in here carries. */
  get ownTag(): string {
    return this.#scopeTags.at(-1) as string
  }

  get strict(): boolean {
    return this.defaults.strict === true
  }

  inner(name: string, defaults: FreshnessOptions): Territory {
    const path = [...this.#path, name]
    return new Territory(this.parts, {
      path,
      scopeTags: [...this.#scopeTags, `!${pathText(path)}`],
      defaults: { ...this.defaults, ...definedMembers(defaults as Given) },
    })
  }

  regions(): Region[] {
    return this.parts.regions.all().filter((region) => region.scopeTags.includes(this.ownTag))
  }

  openRegion(
    label: string,
    name: string | undefined,
    version: string | number | undefined,
    options: Given,
  ): { region: Region; policy: Policy } {
    this.assertOpen()
    const guard = resolveGuard(options.guard, label, this.parts.core)
    const policy = resolvePolicy(options, this.defaults, `'${label}'`, guard)
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
    const tag = `!${pathText(this.#path)}:${own}`
    return { region: this.#settle(label, segments, [...this.#scopeTags, tag]), policy }
  }

  closeRegion(region: Region, name: string | undefined): void {
    this.parts.regions.end(region)
    if (name !== undefined) this.parts.names.delete(this.#nameKey(name))
  }

  /**
   * The keyspace of `getOrSet`, `get`, `set` and `delete`, for one call: whoever enters counts as one
   * of its `users` until the call ends.
   */
  enter(): DirectRegion {
    this.assertOpen()
    if (this.hasL2) this.#requireCacheName()
    const { inContext, regions } = this.parts
    const direct = regions.direct(this.ownTag, () =>
      inContext(() => this.#settle('direct', [], this.#scopeTags)),
    )
    direct.users++
    return direct
  }

  /** Of `get`, `set` and `delete`. */
  get directPolicy(): Policy {
    // `set` may give its own ttl, `get` needs none: only a value without any has no place here.
    const defaults = { ttl: Number.POSITIVE_INFINITY, ...this.defaults }
    this.#directPolicy ??= resolvePolicy({}, defaults, `'${this.name}'`)
    return this.#directPolicy
  }

  assertOpen(): void {
    if (!this.parts.core.closed) return
    throw new ResilienceError(
      'ERR_CLOSED',
      `the cache '${this.name}' is closed; create another one`,
    )
  }

  #settle(label: string, segments: readonly string[], scopeTags: readonly string[]): Region {
    const region = new Region(this.parts.core, {
      label,
      path: [...this.#path.map((part) => `+${part}`), ...segments],
      scopeTags,
      tagPrefix: this.tagPrefix,
    })
    this.parts.regions.add(region)
    return region
  }

  #requireCacheName(): void {
    if (this.parts.named) return
    throw invalidOption(
      'createCache() needs a name with an L2: it is the namespace of its keys there',
    )
  }

  #takeName(name: string): void {
    const key = this.#nameKey(name)
    if (this.parts.names.has(key)) {
      throw invalidOption(
        `a cached function named '${name}' is alive in this cache already: ` +
          'give this one another name, or dispose() of the other',
      )
    }
    this.parts.names.add(key)
  }

  #nameKey(name: string): string {
    return `${pathText(this.#path)}:${name}`
  }
}

/** Unambiguous whatever the names: each is escaped and begins with `+`. */
function pathText(path: readonly string[]): string {
  return path.map((part) => `+${encodeURIComponent(part)}`).join('')
}
