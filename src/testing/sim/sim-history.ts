import { CELLS, type Cell, declaredTags, dynamicTags, type Tag } from './cells.ts'

/** What the database holds, as the origin hands it out; `id` tells who made this very object. */
export interface Value {
  readonly cell: Cell
  readonly version: number
  readonly id: number
}

/** A load or a `set`: where a value came from. */
export interface Producer {
  readonly kind: 'load' | 'set'
  /** The process, not its place: a new one in the same place is another. */
  readonly process: number
  readonly cell: Cell
  readonly version: number
  readonly startedAt: number
  /** Of a load: when the origin answered. Of a set: when it was called. */
  endedAt: number
  /** L2 did not serve the process as it should at some time during the load. */
  troubled: boolean
  skipped: boolean
  /** `cacheIf` says no to it. */
  refused: boolean
  /** Of a set: its place in the order of events when it was acknowledged durably. */
  acknowledged: number
}

/** Something that makes all older versions of some cells wrong. */
export interface Invalidation {
  readonly mode: 'hard' | 'soft'
  readonly process: number
  /** The oldest right version of each affected cell. */
  readonly floors: ReadonlyMap<Cell, number>
  readonly called: number
  readonly calledAt: number
  /** When L2 acknowledged it, in time; Infinity while it has not. */
  acknowledgedAt: number
  acknowledged: number
  /**
   * A failover may have lost what L2 had acknowledged: it holds again from this instant, when its
   * process has had the time to repeat it. Infinity where that process is gone.
   */
  repeatedAt: () => number
  /** It came with a value, and is not repeated. */
  isSet: boolean
}

/**
 * The truth that caches are compared with: a database with a version per cell, who read it when, and
 * what was invalidated when. It knows nothing of how a cache works.
 */
export class SimHistory {
  readonly invalidations: Invalidation[] = []
  #order = 0
  readonly #versions = new Map<Cell, number>(CELLS.map((cell) => [cell, 1]))
  readonly #producers: Producer[] = []

  /** The next place in the order of events. */
  next(): number {
    return ++this.#order
  }

  version(cell: Cell): number {
    return this.#versions.get(cell) as number
  }

  /** Somebody writes to the database. */
  change(cell: Cell): void {
    this.#versions.set(cell, this.version(cell) + 1)
  }

  /** A value that carries the present version. */
  produce(kind: Producer['kind'], process: number, cell: Cell, now: number): [Value, Producer] {
    const version = this.version(cell)
    const producer: Producer = {
      kind,
      process,
      cell,
      version,
      startedAt: now,
      endedAt: now,
      troubled: false,
      skipped: false,
      refused: false,
      acknowledged: Number.POSITIVE_INFINITY,
    }
    this.#producers.push(producer)
    return [{ cell, version, id: this.#producers.length - 1 }, producer]
  }

  producer({ id }: Value): Producer | undefined {
    return this.#producers[id]
  }

  /** The present versions of the cells are the oldest right ones from now on. */
  invalidate(
    mode: 'hard' | 'soft',
    process: number,
    cells: readonly Cell[],
    calledAt: number,
  ): Invalidation {
    const invalidation: Invalidation = {
      mode,
      process,
      floors: new Map(cells.map((cell) => [cell, this.version(cell)])),
      called: this.next(),
      calledAt,
      acknowledgedAt: Number.POSITIVE_INFINITY,
      acknowledged: Number.POSITIVE_INFINITY,
      repeatedAt: () => Number.NEGATIVE_INFINITY,
      isSet: false,
    }
    this.invalidations.push(invalidation)
    return invalidation
  }

  static cellsWithTag(tag: Tag): Cell[] {
    return CELLS.filter((cell) => [...declaredTags(cell), ...dynamicTags(cell)].includes(tag))
  }
}
