import type { Source } from '../../src/read-path/outcome.ts'
import type { History, Invalidation, Producer, Value } from './history.ts'
import type { Cell, World } from './operations.ts'

export const L2_DEADLINE_MS = 50
/** A load notices at its next renewal that its lease is gone. */
const RENEWAL_MS = 1600

/** A read that has been started and may have ended. */
export interface StartedRead {
  readonly node: number
  readonly cell: Cell
  readonly started: number
  readonly startedAt: number
  /** All messages sent to the node before this place in the order of events had arrived. */
  readonly toldAt: number
  /** The newest version that a fresh read of this node had given before. */
  readonly floor: Floor | undefined
}

export interface Floor {
  readonly version: number
  readonly at: number
}

/** What a read gave. `source` is undefined where the call does not tell. */
export interface Given {
  readonly value: Value
  readonly source: Source | undefined
  readonly endedAt: number
  /** When the node's L2 last did not answer in time. */
  readonly troubledAt: number
}

/** I1, I2 and I5: every value that a cache hands out is compared with the history. */
export class ReadChecks {
  readonly #history: History
  readonly #world: World

  constructor(history: History, world: World) {
    this.#history = history
    this.#world = world
  }

  check(read: StartedRead, given: Given): void {
    const { value } = given
    if (value?.cell !== read.cell) fail('a value of another key', read, given)
    const producer = this.#history.producer(value)
    if (!producer || producer.version !== value.version) fail('an invented value', read, given)
    for (const invalidation of this.#history.invalidations) {
      const floor = invalidation.floors.get(read.cell)
      if (floor === undefined || value.version >= floor) continue
      this.#checkInvalidation(invalidation, read, given, producer)
    }
    this.#checkAge(read, given, producer)
    this.#checkOrder(read, given, producer)
  }

  /** Whether the value was certainly served as a fresh one. */
  isFresh({ source }: Given): boolean {
    return source === undefined ? this.#world.grace === 0 : source !== 'stale'
  }

  /** I1: the value is older than the invalidation. Was this read entitled to it? */
  #checkInvalidation(
    invalidation: Invalidation,
    read: StartedRead,
    given: Given,
    producer: Producer,
  ): void {
    const fresh = this.isFresh(given)
    if (invalidation.mode === 'soft' && !fresh) return
    // Set by another node at the same time: whichever came second in L2 stands.
    const concurrentSet =
      producer.kind === 'set' &&
      producer.node !== invalidation.node &&
      producer.acknowledged > invalidation.called
    if (concurrentSet) return
    if (read.node === invalidation.node) {
      if (read.started > invalidation.called) fail('I1 resurrected', read, given, invalidation)
    } else if (fresh && this.#isTold(invalidation, read, given, producer)) {
      fail('I1 served although told', read, given, invalidation)
    } else if (fresh && read.startedAt > this.#seenElsewhere(invalidation, given, producer, read)) {
      fail('I1 resurrected on another node', read, given, invalidation)
    }
  }

  /** Every message had arrived, and L2 could be asked. */
  #isTold(
    { acknowledged }: Invalidation,
    read: StartedRead,
    { troubledAt }: Given,
    producer: Producer,
  ): boolean {
    // Without L2 a load has no lease that a write of another node could take away.
    if (producer.node === read.node && producer.troubled) return false
    // Where L2 did not answer, the copy was served for another while without asking again.
    const asked = troubledAt + this.#world.l1Ttl + L2_DEADLINE_MS < read.startedAt
    return read.toldAt > acknowledged && asked
  }

  /** The instant from which another node must not serve what was invalidated. */
  #seenElsewhere(
    { acknowledgedAt }: Invalidation,
    { source, troubledAt }: Given,
    producer: Producer,
    read: StartedRead,
  ): number {
    const { l1Ttl } = this.#world
    const own = producer.node === read.node
    const from = Math.max(
      acknowledgedAt,
      troubledAt,
      own && producer.troubled ? producer.endedAt : 0,
    )
    const joined = source === 'origin' || source === undefined ? RENEWAL_MS : 0
    // Its own load is in L1 until the store has refused it.
    const refused = own ? producer.endedAt + 2 * L2_DEADLINE_MS : 0
    return Math.max(from + Math.max(l1Ttl, joined) + 4 * L2_DEADLINE_MS, refused)
  }

  /** I2: fresh no longer than the ttl, usable no longer than ttl and grace. */
  #checkAge(read: StartedRead, given: Given, producer: Producer): void {
    const { grace, ttl } = this.#world
    if (this.isFresh(given)) {
      // The ttl of a copy may end while it is being compared with L2.
      if (read.startedAt - producer.endedAt > ttl + L2_DEADLINE_MS)
        fail('I2 too old for fresh', read, given)
    }
    if (given.endedAt - producer.endedAt > ttl + grace + L2_DEADLINE_MS) {
      fail('I2 too old for anything', read, given)
    }
  }

  /** I5: no step back in what one node serves as fresh. */
  #checkOrder(read: StartedRead, given: Given, producer: Producer): void {
    const { floor } = read
    if (!floor || producer.kind === 'set' || !this.isFresh(given)) return
    const { bus, nodes } = this.#world
    // A node that hears nothing of the others lets callers join what it began before.
    const mayBeJoined = given.source === 'origin' || given.source === undefined
    if (!bus && nodes > 1 && mayBeJoined) return
    if (given.troubledAt >= floor.at - L2_DEADLINE_MS) return
    if (given.value.version < floor.version) fail('I5 went back', read, given, floor)
  }
}

function fail(what: string, ...details: readonly unknown[]): never {
  const shown = details.map((detail) =>
    JSON.stringify(detail, (_, part) => (part instanceof Map ? [...part] : part)),
  )
  throw new Error(`${what}: ${shown.join(' | ')}`)
}
