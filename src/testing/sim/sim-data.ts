export type Hash = Map<string, Buffer>

export interface Held {
  readonly value: Buffer | Hash
  /** In the server's time; Infinity where it does not expire. */
  readonly expiresAt: number
}

/** A command that failed, with the reply that Redis gives. */
export class CommandError extends Error {}

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

/** What one server holds. Strings are never changed in place, hashes are. */
export class SimData {
  readonly #held = new Map<string, Held>()
  /** Keys that were changed since they were last taken. */
  #changed = new Set<string>()
  /** The time of the command that runs: it stands still for as long as a script takes. */
  now = 0

  /** Everything that was changed, as it is now; `undefined` where it is gone. */
  takeChanges(): Array<[string, Held | undefined]> {
    if (this.#changed.size === 0) return []
    const changes = [...this.#changed].map((key): [string, Held | undefined] => [
      key,
      copy(this.#held.get(key)),
    ])
    this.#changed = new Set()
    return changes
  }

  apply(changes: ReadonlyArray<readonly [string, Held | undefined]>): void {
    for (const [key, held] of changes) {
      const own = copy(held)
      if (own) this.#held.set(key, own)
      else this.#held.delete(key)
    }
  }

  clone(): SimData {
    const other = new SimData()
    other.apply([...this.#held])
    return other
  }

  keys(): string[] {
    return [...this.#held.keys()]
  }

  /** What a key holds unless it has expired. */
  find(key: string): Held | undefined {
    const held = this.#held.get(key)
    if (held === undefined || held.expiresAt > this.now) return held
    this.#held.delete(key)
    this.#changed.add(key)
    return undefined
  }

  string(key: string): Buffer | undefined {
    const value = this.find(key)?.value
    if (value instanceof Map) throw new CommandError(WRONG_TYPE)
    return value
  }

  hash(key: string): Hash | undefined {
    const value = this.find(key)?.value
    if (value === undefined || value instanceof Map) return value
    throw new CommandError(WRONG_TYPE)
  }

  /** A hash to write into. */
  hashForWriting(key: string): Hash {
    const hash = this.hash(key) ?? new Map<string, Buffer>()
    if (hash.size === 0) this.#held.set(key, { value: hash, expiresAt: Number.POSITIVE_INFINITY })
    this.#changed.add(key)
    return hash
  }

  set(key: string, value: Buffer, expiresAt = Number.POSITIVE_INFINITY): void {
    this.#changed.add(key)
    if (expiresAt <= this.now) this.#held.delete(key)
    else this.#held.set(key, { value, expiresAt })
  }

  delete(key: string): boolean {
    const isThere = this.find(key) !== undefined
    if (isThere) {
      this.#held.delete(key)
      this.#changed.add(key)
    }
    return isThere
  }

  expire(key: string, expiresAt: number): boolean {
    const held = this.find(key)
    if (held === undefined) return false
    this.#changed.add(key)
    if (expiresAt <= this.now) this.#held.delete(key)
    else this.#held.set(key, { value: held.value, expiresAt })
    return true
  }

  clear(): void {
    for (const key of this.#held.keys()) this.#changed.add(key)
    this.#held.clear()
  }
}

function copy(held: Held | undefined): Held | undefined {
  return held?.value instanceof Map ? { ...held, value: new Map(held.value) } : held
}
