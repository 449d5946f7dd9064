import type {
  Fence,
  ReadReply,
  ReadRequest,
  Stamp,
  StampMode,
  StoreContext,
  StoredRecord,
  StoreSession,
  WriteReply,
  WriteRequest,
} from '../../contracts/store.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { KeyvAccess } from './keyv-access.ts'
import type { KeyvLike } from './keyv-backend.ts'
import {
  decodeEntry,
  decodeSequence,
  decodeStamp,
  type Entry,
  encodeEntry,
  encodePair,
  namesOf,
  type Sequence,
} from './keyv-records.ts'
import type { Queues } from './queues.ts'

/** Longer than entries are usually kept; a stamp that is gone is made anew at the present number. */
const STAMP_TTL_MS = 30 * 86_400_000
const EPOCHS = 2 ** 32
/** Numbers per millisecond of the clock. */
const PER_MS = 1000

interface Known extends Sequence {
  /** `undefined` where there is none. */
  readonly stamps: readonly (Stamp | undefined)[]
}

/**
 * A space in a key-value backend that can neither count nor compare: every step is a read followed by
 * a write, so two processes may overtake each other in between. Within this process they queue.
 */
export class KeyvSession implements StoreSession {
  readonly #context: StoreContext
  readonly #access: KeyvAccess
  readonly #names: ReturnType<typeof namesOf>
  readonly #queues: Queues
  #suspect = false
  #closed = false

  /** `queues`: shared by all sessions of the backend in this process. */
  constructor(backend: KeyvLike, context: StoreContext, queues: Queues) {
    this.#context = context
    this.#queues = queues
    this.#names = namesOf(context.space)
    this.#access = new KeyvAccess(backend, (error) => this.#doubt(error))
    context.onState({ state: 'ready', source: 'client' })
  }

  async read({ keys, tags }: ReadRequest): Promise<ReadReply> {
    const now = this.#context.clock.wall()
    const values = await this.#getMany([
      this.#names.sequence,
      ...tags.map(this.#names.stamp),
      ...keys.map(this.#names.entry),
    ])
    const found = decodeSequence(values[0])
    const stamps = values.slice(1, 1 + tags.length).map(decodeStamp)
    const complete = found !== undefined && stamps.every((stamp) => stamp !== undefined)
    const known = complete ? { ...found, stamps } : await this.#inTurn(() => this.#complete(tags))
    const position = { sequence: known.number, epoch: known.epoch }
    return {
      records: values.slice(1 + tags.length).map((value) => record(value, now)),
      leases: keys.map(() => undefined),
      stamps: known.stamps as readonly Stamp[],
      positions: keys.map(() => position),
      ...position,
      now,
    }
  }

  write({ key, bytes, keepUntil, fence }: WriteRequest): Promise<WriteReply> {
    // Kept now: the caller may use its buffer again while this waits for its turn.
    const kept = new Uint8Array(bytes)
    return this.#inTurn(async () => {
      const known = await this.#known(fence?.tags ?? [])
      const reason = fence && refusal(fence, known)
      if (reason) return { stored: false, reason }
      const next = this.#after(known)
      const { number: version, epoch } = next
      await Promise.all([
        this.#putSequence(next),
        this.#putEntry(key, { bytes: kept, version, epoch, keepUntil }),
        fence && this.#makeMissing(fence.tags, known.stamps, fence.sequence),
      ])
      return { stored: true, version }
    })
  }

  delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    return this.#inTurn(async () => {
      const known = await this.#known([])
      if (keys.length === 0) return { sequence: known.number }
      const next = this.#after(known)
      await Promise.all([this.#putSequence(next), this.#access.delete(keys.map(this.#names.entry))])
      return { sequence: next.number }
    })
  }

  stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    return this.#inTurn(async () => {
      const known = await this.#known(tags)
      if (tags.length === 0) return { sequence: known.number }
      const next = this.#after(known)
      // The number first: no reader may meet a stamp that is newer than the sequence.
      await this.#putSequence(next)
      const never = { hard: known.number, soft: known.number }
      await Promise.all(
        tags.map((tag, at) =>
          this.#putStamp(tag, { ...(known.stamps[at] ?? never), [mode]: next.number }),
        ),
      )
      return { sequence: next.number }
    })
  }

  async renew(): Promise<boolean> {
    this.#checkOpen()
    return false
  }

  async release(): Promise<void> {
    this.#checkOpen()
  }

  async probe(): Promise<void> {
    await this.#getMany([this.#names.sequence])
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#queues.idle(this.#context.space)
    this.#access.stop()
  }

  /** Makes what a read found missing: the sequence, and stamps at its present number. */
  async #complete(tags: readonly string[]): Promise<Known> {
    const known = await this.#known(tags)
    await this.#makeMissing(tags, known.stamps, known.number)
    const never: Stamp = { hard: known.number, soft: known.number }
    return { ...known, stamps: known.stamps.map((stamp) => stamp ?? never) }
  }

  /**
   * A missing stamp was never made, or was evicted: it begins at a number that makes entries from
   * before the loss stale.
   */
  async #makeMissing(
    tags: readonly string[],
    stamps: readonly (Stamp | undefined)[],
    number: number,
  ): Promise<void> {
    const missing = tags.filter((_, at) => !stamps[at])
    await Promise.all(missing.map((tag) => this.#putStamp(tag, { hard: number, soft: number })))
  }

  async #known(tags: readonly string[]): Promise<Known> {
    const [sequence, ...stamps] = await this.#access.getMany([
      this.#names.sequence,
      ...tags.map(this.#names.stamp),
    ])
    const found = decodeSequence(sequence) ?? (await this.#begin())
    return { ...found, stamps: stamps.map(decodeStamp) }
  }

  async #begin(): Promise<Sequence> {
    const epoch = 1 + Math.floor(this.#context.random() * (EPOCHS - 1))
    const first = this.#after({ epoch, number: 0 })
    await this.#putSequence(first)
    return first
  }

  /** Ahead of the last number and of the clock, so that two processes rarely meet and never go back. */
  #after({ epoch, number }: Sequence): Sequence {
    const clock = Math.floor(this.#context.clock.wall() * PER_MS)
    return { epoch, number: Math.max(number + 1, clock) }
  }

  async #putEntry(key: string, entry: Entry): Promise<void> {
    const name = this.#names.entry(key)
    const wall = this.#context.clock.wall()
    if (entry.keepUntil <= wall) await this.#access.delete([name])
    else await this.#access.set(name, encodeEntry(entry), entry.keepUntil - wall, wall)
  }

  #putSequence({ epoch, number }: Sequence): Promise<void> {
    const text = encodePair('q', epoch, number)
    const wall = this.#context.clock.wall()
    return this.#access.set(this.#names.sequence, text, Number.POSITIVE_INFINITY, wall)
  }

  #putStamp(tag: string, { hard, soft }: Stamp): Promise<void> {
    const wall = this.#context.clock.wall()
    return this.#access.set(this.#names.stamp(tag), encodePair('s', hard, soft), STAMP_TTL_MS, wall)
  }

  async #getMany(names: readonly string[]): Promise<unknown[]> {
    this.#checkOpen()
    const values = await this.#access.getMany(names)
    this.#trust()
    return values
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    try {
      this.#checkOpen()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    return this.#queues.run(this.#context.space, step)
  }

  #checkOpen(): void {
    if (!this.#closed) return
    throw new ResilienceError('ERR_CLOSED', 'the cache is closed: create another one to go on')
  }

  #doubt(cause: unknown): void {
    this.#suspect = true
    const error = new ResilienceError(
      'ERR_L2_UNAVAILABLE',
      'the Keyv backend reported an error outside of any operation: see the cause',
      { cause },
    )
    this.#context.onState({ state: 'suspect', source: 'client', error })
  }

  #trust(): void {
    if (!this.#suspect) return
    this.#suspect = false
    this.#context.onState({ state: 'ready', source: 'client' })
  }
}

function record(value: unknown, now: number): StoredRecord | undefined {
  const entry = decodeEntry(value)
  if (!entry || entry.keepUntil <= now) return undefined
  return { bytes: entry.bytes, version: entry.version }
}

function refusal(
  { epoch, sequence, tags }: Fence,
  known: Known,
): 'epoch-changed' | 'tag-changed' | undefined {
  if (epoch !== known.epoch) return 'epoch-changed'
  const changed = tags.some((_, at) => {
    const stamp = known.stamps[at]
    return stamp !== undefined && Math.max(stamp.hard, stamp.soft) > sequence
  })
  return changed ? 'tag-changed' : undefined
}
