import type { LeaseRequest, ReadReply, ReadRequest } from '../contracts/store.ts'
import type { Deadline, Deadlines, Waiter } from './deadlines.ts'
import { MergedReads, type RemoteReply } from './merge-reads.ts'

const MAX_KEYS = 256
/** What a script gets as its arguments is bounded, too. */
const MAX_TAGS = 1024

/** One caller of `read`, waiting until the reply or its own deadline. */
export class Reader implements Waiter {
  readonly request: ReadRequest
  isOver = false
  readonly #resolve: (reply: RemoteReply | undefined) => void
  readonly #deadlines: Deadlines
  readonly #deadline: Deadline

  constructor(
    request: ReadRequest,
    deadlines: Deadlines,
    resolve: (reply: RemoteReply | undefined) => void,
    until: number | undefined,
  ) {
    this.request = request
    this.#resolve = resolve
    this.#deadlines = deadlines
    this.#deadline = deadlines.join(this, until)
  }

  onDue(): void {
    this.end(undefined)
  }

  end(reply: RemoteReply | undefined): void {
    if (this.isOver) return
    this.isOver = true
    this.#deadlines.leave(this.#deadline)
    this.#resolve(reply)
  }
}

/** Reads that are collected to be sent as one. */
export class ReadBatch {
  /** What it leases. */
  readonly kind: string
  readonly #readers: Reader[] = []
  /** Only where leases are wanted: two loads must never share one. */
  readonly #leased: Set<string> | undefined
  #keys = 0
  #tags = 0

  constructor(lease: LeaseRequest | undefined) {
    this.kind = kindOf(lease)
    this.#leased = lease ? new Set() : undefined
  }

  /** A request that is too large for any batch has one for itself. */
  takes({ keys, tags }: ReadRequest): boolean {
    if (this.#readers.length === 0) return true
    if (this.#keys + keys.length > MAX_KEYS || this.#tags + tags.length > MAX_TAGS) return false
    const leased = this.#leased
    return leased === undefined || !keys.some((key) => leased.has(key))
  }

  add(reader: Reader): void {
    const { keys, tags } = reader.request
    this.#readers.push(reader)
    this.#keys += keys.length
    this.#tags += tags.length
    if (this.#leased) for (const key of keys) this.#leased.add(key)
  }

  /**
   * Those who are still waiting, to be asked for together.
   * @param serial of the batch among those of the cache
   */
  close(serial: number): ClosedBatch {
    const readers = this.#readers.filter(({ isOver }) => !isOver)
    return new ClosedBatch(readers, serial)
  }

  drop(): void {
    for (const reader of this.#readers) reader.end(undefined)
  }
}

/** Reads of one kind may be sent as one: an operation has one lease request. */
export function kindOf(lease: LeaseRequest | undefined): string {
  return lease ? `${lease.when} ${lease.ms}` : ''
}

function giveBack(
  { keys }: ReadRequest,
  { leases, token }: RemoteReply,
  onUnused: (key: string, token: string) => void,
): void {
  leases.forEach((lease, at) => {
    const key = keys[at]
    if (lease === 'granted' && key !== undefined && token !== undefined) onUnused(key, token)
  })
}

/** A batch that is sent. */
export class ClosedBatch {
  readonly readers: readonly Reader[]
  readonly request: ReadRequest
  readonly #merged: MergedReads | undefined

  constructor(readers: readonly Reader[], serial: number) {
    this.readers = readers
    const [first] = readers
    if (first === undefined || readers.length === 1) {
      this.request = first?.request ?? { keys: [], tags: [] }
      return
    }
    const { lease } = first.request
    // A token of its own: one that another load also knows could give two loads the same lease.
    const shared = lease && { ...lease, token: `${lease.token}+${serial.toString(36)}` }
    this.#merged = new MergedReads(
      readers.map(({ request }) => request),
      shared,
    )
    this.request = this.#merged.request
  }

  /** Answers everybody; what was leased for those who have left goes to `onUnused`. */
  answer(reply: ReadReply | undefined, onUnused: (key: string, token: string) => void): void {
    this.readers.forEach((reader, index) => {
      const part = reply && this.#replyTo(index, reply)
      if (!reader.isOver) reader.end(part)
      else if (part) giveBack(reader.request, part, onUnused)
    })
  }

  #replyTo(index: number, reply: ReadReply): RemoteReply {
    if (this.#merged) return this.#merged.replyTo(index, reply)
    const token = this.request.lease?.token
    return token === undefined ? reply : { ...reply, token }
  }
}
