import { ResilienceError } from '../../kernel/errors.ts'
import { ErrorWatch } from './error-watch.ts'
import type { KeyvLike } from './keyv-backend.ts'

/** Reads and writes text under a name, over any of the shapes that a Keyv backend has. */
export class KeyvAccess {
  readonly #backend: KeyvLike
  readonly #watch: ErrorWatch

  constructor(backend: KeyvLike, onStray: (error: unknown) => void) {
    this.#backend = backend
    this.#watch = new ErrorWatch(backend, onStray)
  }

  getMany(names: readonly string[]): Promise<unknown[]> {
    if (names.length === 0) return Promise.resolve([])
    return this.#run(async () => {
      if (names.length > 1 && this.#batches()) {
        const values = await this.#backend.getMany?.([...names])
        if (!Array.isArray(values)) throw new Error('getMany gave no array')
        return names.map((_, at) => plain(values[at]))
      }
      return Promise.all(names.map((name) => this.#get(name)))
    })
  }

  /** Forgotten `ttlMs` from now. `Infinity`: never. */
  set(name: string, text: string, ttlMs: number, wall: number): Promise<void> {
    return this.#run(async () => {
      const limit = Number.isFinite(ttlMs) ? Math.ceil(ttlMs) : undefined
      const absolute = this.#backend.capabilities?.expires === true
      const stored = await this.#backend.set(
        name,
        text,
        limit !== undefined && absolute ? wall + limit : limit,
      )
      if (stored === false) throw new Error('set was refused')
    })
  }

  delete(names: readonly string[]): Promise<void> {
    return this.#run(async () => {
      await Promise.all(names.map((name) => this.#backend.delete(name)))
    })
  }

  stop(): void {
    this.#watch.stop()
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await this.#watch.run(operation)
    } catch (cause) {
      throw new ResilienceError(
        'ERR_L2_UNAVAILABLE',
        'the Keyv backend failed: see the cause, and check that its server can be reached',
        { cause },
      )
    }
  }

  async #get(name: string): Promise<unknown> {
    const { getRaw } = this.#backend
    if (typeof getRaw !== 'function') return plain(await this.#backend.get(name))
    return (((await getRaw.call(this.#backend, name)) ?? undefined) as { value?: unknown })?.value
  }

  /** Keyv 5 reads one by one where its adapter has no `getMany`, and then swallows every error. */
  #batches(): boolean {
    const { getMany, getRaw, store } = this.#backend
    if (typeof getMany !== 'function') return false
    return (
      typeof getRaw !== 'function' ||
      typeof (store as { getMany?: unknown } | undefined)?.getMany === 'function'
    )
  }
}

/** Adapters of Keyv 4 and some of today answer a missing key with null or with an envelope. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined
  return (value as { value?: unknown }).value
}
