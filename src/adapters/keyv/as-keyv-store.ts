import { randomUUID } from 'node:crypto'

/** The part of a cache that a Keyv store needs. */
export interface CacheLike {
  get(key: string): Promise<unknown>
  getMany(keys: string[]): Promise<readonly unknown[]>
  set(key: string, value: unknown, options: { ttl: number }): Promise<unknown>
  delete(key: string): Promise<unknown>
  clear(): Promise<unknown>
}

interface Entry {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number | undefined
}

/**
 * A cache as the storage of a Keyv (5 or 6): what is written with Keyv for its storage keeps working,
 * over L1 and L2. Entries without a ttl stay until they are evicted, as Keyv has it.
 *
 * With a namespace `clear()` empties that namespace only; without one it clears the whole cache. Give
 * each Keyv a store of its own: Keyv writes its namespace into the store. There is no iterator.
 *
 * ```ts
 * const sessions = new Keyv({ store: asKeyvStore(cache), namespace: 'sessions' })
 * ```
 */
export function asKeyvStore(cache: CacheLike): KeyvCacheStore {
  return new KeyvCacheStore(cache)
}

/** The storage adapter that {@link asKeyvStore} makes. */
export class KeyvCacheStore {
  /** Set by Keyv. */
  namespace: string | undefined = undefined
  readonly opts: Record<string, unknown> = {}
  readonly #cache: CacheLike
  readonly #beginning = new Map<string, Promise<string>>()

  constructor(cache: CacheLike) {
    this.#cache = cache
  }

  async get(key: string): Promise<unknown> {
    return unbox(await this.#cache.get(await this.#name(key)))?.value
  }

  async getMany(keys: string[]): Promise<unknown[]> {
    return (await this.#boxes(keys)).map((box) => box?.value)
  }

  async has(key: string): Promise<boolean> {
    return unbox(await this.#cache.get(await this.#name(key))) !== undefined
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.#boxes(keys)).map((box) => box !== undefined)
  }

  /** `ttl` in milliseconds; none, or 0, for no end. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const bounded = typeof ttl === 'number' && ttl > 0
    await this.#cache.set(
      await this.#name(key),
      { value },
      { ttl: bounded ? ttl : Number.POSITIVE_INFINITY },
    )
    return true
  }

  async setMany(entries: readonly Entry[]): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)))
  }

  /** Whether there was such an entry. */
  async delete(key: string): Promise<boolean> {
    const name = await this.#name(key)
    const existed = unbox(await this.#cache.get(name)) !== undefined
    await this.#cache.delete(name)
    return existed
  }

  /** Whether there were all these entries. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const existed = await Promise.all(keys.map((key) => this.delete(key)))
    return existed.every(Boolean)
  }

  async clear(): Promise<void> {
    if (this.namespace) await this.#begin(generationKey(this.namespace))
    else await this.#cache.clear()
  }

  async #boxes(keys: string[]): Promise<(Box | undefined)[]> {
    const prefix = await this.#prefix()
    return (await this.#cache.getMany(keys.map((key) => prefix + key))).map(unbox)
  }

  async #name(key: string): Promise<string> {
    return (await this.#prefix()) + key
  }

  /**
   * A cache cannot list its keys, so a namespace is cleared by giving it another generation, which is
   * part of its keys. It is random: one that was evicted must not come back with its old entries.
   */
  async #prefix(): Promise<string> {
    const { namespace } = this
    if (!namespace) return 'keyv:'
    const key = generationKey(namespace)
    const stored = unbox(await this.#cache.get(key))?.value
    const generation = typeof stored === 'string' ? stored : await this.#first(key)
    return `keyv/${generation}:`
  }

  /** Of several that find none at the same time, one begins it for all. */
  #first(key: string): Promise<string> {
    const beginning = this.#beginning.get(key) ?? this.#begin(key)
    this.#beginning.set(key, beginning)
    const done = (): void => {
      this.#beginning.delete(key)
    }
    beginning.then(done, done)
    return beginning
  }

  async #begin(key: string): Promise<string> {
    const generation = randomUUID()
    await this.#cache.set(key, { value: generation }, { ttl: Number.POSITIVE_INFINITY })
    return generation
  }
}

interface Box {
  readonly value: unknown
}

/** Values are boxed, so that a stored `undefined` is told from a missing entry. */
function unbox(found: unknown): Box | undefined {
  return typeof found === 'object' && found !== null && 'value' in found
    ? (found as Box)
    : undefined
}

function generationKey(namespace: string): string {
  return `keyv-generation:${namespace}`
}
