import type { Source } from '../../read-path/outcome.ts'
import type { Cell } from './cells.ts'
import type { WorldSettings } from './operations.ts'
import type { Invalidation, Producer, SimHistory, Value } from './sim-history.ts'

export const L2_DEADLINE_MS = 50
/** After an acknowledged invalidation no other process serves the old value as fresh for longer. */
const STALENESS_BOUND_MS = 1300
/** A load notices at its next renewal that its lease is gone. */
const RENEWAL_MS = 1600
/** A copy that could not be compared with L2 is served for so long before the next attempt. */
const ASKED_AGAIN_MS = 1000
/** Messages and replies on their way, instants that are rounded. */
const SLACK_MS = 60

/** A read that has been started and may have ended. */
export interface StartedRead {
  readonly process: number
  readonly cell: Cell
  /** Its place in the order of events. */
  readonly started: number
  readonly startedAt: number
  /** The newest version that a fresh read of this process had given before. */
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
  /** When Redis last did not serve the process as it should. */
  readonly troubledAt: number
  /** When Redis last lost something. */
  readonly lostAt: number
  /**
   * How far the process may be off with the time of Redis: by half of a round trip, and a reply that
   * a pause has kept waiting may be the only one it has.
   */
  readonly clockErrorMs: number
  /** Some origin has failed meanwhile: what could not be confirmed may be served as stale. */
  readonly originFailed: boolean
}

/** I1, I2 and I5: every value that a cache hands out is compared with the history. */
export class SimChecks {
  readonly #history: SimHistory
  readonly #settings: WorldSettings

  constructor(history: SimHistory, settings: WorldSettings) {
    this.#history = history
    this.#settings = settings
  }

  /** What is wrong with it. */
  check(read: StartedRead, given: Given): string | undefined {
    const { value } = given
    if (value?.cell !== read.cell) return 'I1 a value of another key'
    const producer = this.#history.producer(value)
    if (!producer || producer.version !== value.version) return 'I1 an invented value'
    for (const invalidation of this.#history.invalidations) {
      const floor = invalidation.floors.get(read.cell)
      if (floor === undefined || value.version >= floor) continue
      const wrong = this.#checkInvalidation(invalidation, read, given, producer)
      if (wrong) return wrong
    }
    return this.#checkAge(read, given, producer) ?? this.#checkOrder(read, given, producer)
  }

  /** Whether the value was certainly served as a fresh one. */
  isFresh({ source, originFailed }: Pick<Given, 'source' | 'originFailed'>): boolean {
    if (source !== undefined) return source !== 'stale'
    return this.#settings.grace === 0 && !originFailed
  }

  /** I1: the value is older than the invalidation. Was this read entitled to it? */
  #checkInvalidation(
    invalidation: Invalidation,
    read: StartedRead,
    given: Given,
    producer: Producer,
  ): string | undefined {
    const fresh = this.isFresh(given)
    if (invalidation.mode === 'soft' && !fresh) return undefined
    // Set by another process at the same time: whichever came second in L2 stands.
    const isConcurrentSet =
      producer.kind === 'set' &&
      producer.process !== invalidation.process &&
      producer.acknowledged > invalidation.called
    if (isConcurrentSet) return undefined
    const repeatedAt = invalidation.repeatedAt()
    if (read.process === invalidation.process) {
      // The process itself knows what it has told, and does not believe a server that does not.
      if (invalidation.isSet && read.startedAt <= repeatedAt) return undefined
      return read.started > invalidation.called ? 'I1 resurrected where it was killed' : undefined
    }
    // What a failover has lost comes back elsewhere, until it is told again.
    if (read.startedAt <= repeatedAt) return undefined
    const isOver = read.startedAt > this.#seenElsewhere(invalidation, given, producer, read)
    return fresh && isOver ? 'I1 resurrected on another node' : undefined
  }

  /** The instant from which another process must not serve what was invalidated. */
  #seenElsewhere(
    { acknowledgedAt, repeatedAt }: Invalidation,
    { source, troubledAt }: Given,
    producer: Producer,
    read: StartedRead,
  ): number {
    const isOwn = producer.process === read.process
    const from = Math.max(acknowledgedAt, repeatedAt())
    // After a trouble the copies are compared again, one by one, as they are asked for.
    const served = troubledAt + ASKED_AGAIN_MS
    const isJoined = source === 'origin' || source === undefined
    const bound = isJoined ? RENEWAL_MS : STALENESS_BOUND_MS
    // Its own load is in L1 until the store has refused it.
    const refused = isOwn ? producer.endedAt + 2 * L2_DEADLINE_MS : 0
    return Math.max(Math.max(from, served) + bound + SLACK_MS, refused)
  }

  /** I2: fresh no longer than the ttl, usable no longer than ttl and grace. */
  #checkAge(read: StartedRead, given: Given, producer: Producer): string | undefined {
    const { grace, ttl } = this.#settings
    const longest = ttl + SLACK_MS + given.clockErrorMs
    const isTooOld = read.startedAt - producer.endedAt > longest
    if (isTooOld && this.isFresh(given)) return 'I2 too old for fresh'
    const isBeyond = given.endedAt - producer.endedAt > longest + grace
    return isBeyond ? 'I2 too old for anything' : undefined
  }

  /** I5: no step back in what one process serves as fresh. */
  #checkOrder(read: StartedRead, given: Given, producer: Producer): string | undefined {
    const { floor } = read
    if (!floor || producer.kind === 'set' || !this.isFresh(given)) return undefined
    if (given.troubledAt >= floor.at - L2_DEADLINE_MS || given.lostAt >= floor.at) return undefined
    return given.value.version < floor.version ? 'I5 went back' : undefined
  }
}
