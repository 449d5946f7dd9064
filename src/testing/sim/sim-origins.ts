import type { LoadContext } from '../../read-path/policy.ts'
import { type Cell, dynamicTags } from './cells.ts'
import type { OriginBehaviour } from './operations.ts'
import type { Producer, SimHistory, Value } from './sim-history.ts'
import type { Owner, VirtualTime } from './virtual-time.ts'

/** Beyond every time-out of these worlds. */
const HANGS_MS = 9_000
/** So long a caller may have waited before its origin is called. */
const LONGEST_WAIT_MS = 6_000

class OriginError extends Error {}

/** Its own, or what another process told of its own. */
export function isOriginError(error: unknown): boolean {
  return error instanceof OriginError || (error as Error).message === 'origin'
}

/** Of a process: who asks, and how Redis served it. */
export interface Asking extends Owner {
  readonly process: number
  readonly isServed: boolean
  trouble(): number
}

interface Behaves {
  readonly behaviour: OriginBehaviour
  readonly ms: number
}

/** A load that was outpaced in its look-up still calls its origin, within this time. */
const LOOK_UP_MS = 150

interface Running {
  readonly process: number
  readonly since: number
  /** It has reached Redis, so it has a lease. */
  readonly isServed: boolean
}

/** The database as the processes ask it: every call is seen, and goes as its cell is told to. */
export class SimOrigins {
  readonly behaviours = new Map<Cell, Behaves>()
  /** Calls so far, by process. */
  readonly calls = new Map<number, number>()
  /** Calls so far, by cell. */
  readonly callsOf = new Map<Cell, number>()
  /** When an origin last failed. */
  failedAt = Number.NEGATIVE_INFINITY
  /** When a load last ended, by process. */
  readonly #endedAt = new Map<number, number>()
  /** I3 within one process. */
  onProblem: (message: string) => void = () => {}
  /** Whether nothing that could end a lease has happened yet. */
  isUntroubled = true
  /** Who waits for a value that may not be stored does not queue for the next one. */
  readonly #unstored = new Set<Cell>()
  readonly #running = new Map<Cell, Set<Running>>()
  /** How many loads of a cell may run at once in a process: one, and one more per thing that ends one. */
  readonly #allowed = new Map<string, number>()
  readonly #superseded = new Map<string, number>()
  readonly #history: SimHistory
  readonly #time: VirtualTime

  constructor(history: SimHistory, time: VirtualTime) {
    this.#history = history
    this.#time = time
  }

  /** From now on a second load of the cell is right: the present one is not to be joined any more. */
  allowAnother(process: number, cell: Cell): void {
    const place = `${process}/${cell}`
    this.#allowed.set(place, (this.#allowed.get(place) ?? 1) + 1)
  }

  /** A load that must be a new one takes the place of the present one, whose lease is given back. */
  supersede(process: number, cell: Cell): void {
    this.#superseded.set(`${process}/${cell}`, this.#time.now)
  }

  /** Whether some load of the cell runs in this process. */
  isLoading(process: number, cell: Cell): boolean {
    for (const running of this.#running.get(cell) ?? [])
      if (running.process === process) return true
    return false
  }

  /** When the last load of this process ended. */
  endedAt(process: number): number {
    return this.#endedAt.get(process) ?? Number.NEGATIVE_INFINITY
  }

  /** `cacheIf` of all functions. */
  isStorable(value: Value): boolean {
    return this.#history.producer(value)?.refused !== true
  }

  /** Whether any load runs in this process. */
  isBusy(process: number): boolean {
    return [...this.#running.keys()].some((cell) => this.isLoading(process, cell))
  }

  load(asking: Asking, cell: Cell, context: LoadContext): Promise<Value> {
    this.#count(asking)
    return this.#answer(asking, cell, context)
  }

  async loadMany(
    asking: Asking,
    cells: readonly Cell[],
    context: LoadContext,
  ): Promise<Array<Value | Error>> {
    this.#count(asking)
    // What the context is told holds for all of them: it is told once, for all.
    const own = { ...context, signal: context.signal, setTags() {} }
    const settled = await Promise.allSettled(cells.map((cell) => this.#answer(asking, cell, own)))
    context.setTags(cells.flatMap(dynamicTags))
    const skipped = cells.some((cell) => this.behaviours.get(cell)?.behaviour === 'skips')
    return settled.map((result) => {
      if (result.status === 'rejected') return result.reason as Error
      const producer = this.#history.producer(result.value)
      // The cache gets it when the slowest of them is there.
      if (producer)
        Object.assign(producer, { endedAt: this.#time.now, skipped: skipped || producer.skipped })
      return result.value
    })
  }

  #count({ process }: Asking): void {
    this.calls.set(process, (this.calls.get(process) ?? 0) + 1)
  }

  async #answer(asking: Asking, cell: Cell, context: LoadContext): Promise<Value> {
    const { process, isServed } = asking
    const running = { process, isServed, since: this.#time.now }
    const all = this.#running.get(cell) ?? new Set<Running>()
    this.#running.set(cell, all.add(running))
    this.callsOf.set(cell, (this.callsOf.get(cell) ?? 0) + 1)
    this.#checkAlone(all, cell, running)
    // What was told to give up may go on for a while, and is not joined.
    const onAbort = (): void => {
      all.delete(running)
      this.#endedAt.set(process, this.#time.now)
      this.allowAnother(process, cell)
    }
    context.signal.addEventListener('abort', onAbort, { once: true })
    const [value, producer] = this.#history.produce('load', process, cell, this.#time.now)
    try {
      return await this.#behave(asking, value, producer, context)
    } finally {
      all.delete(running)
      this.#endedAt.set(process, this.#time.now)
      producer.endedAt = this.#time.now
      producer.troubled = asking.trouble() >= producer.startedAt - 200
    }
  }

  #checkAlone(all: ReadonlySet<Running>, cell: Cell, running: Running): void {
    const { process, isServed } = running
    const own = [...all].filter((other) => other.process === process).length
    if (own > (this.#allowed.get(`${process}/${cell}`) ?? 1)) {
      this.onProblem(`I3 ${own} loads of cell ${cell} at once in one process`)
    }
    if (!this.isUntroubled || !isServed || this.#unstored.has(cell)) return
    if (this.#isEnded(running, cell)) return
    for (const other of all) {
      if (other.process === process || !other.isServed || this.#isEnded(other, cell)) continue
      this.onProblem(`I3 two processes load cell ${cell} at the same time`)
    }
  }

  /** Another load may have taken the place of its own: something was invalidated, or reloaded. */
  #isEnded({ since, process }: Running, cell: Cell): boolean {
    const superseded = this.#superseded.get(`${process}/${cell}`)
    if (superseded !== undefined && since < superseded + LOOK_UP_MS) return true
    return this.#history.invalidations.some(
      ({ calledAt, floors }) => calledAt > since - LONGEST_WAIT_MS && floors.has(cell),
    )
  }

  async #behave(
    asking: Asking,
    value: Value,
    producer: Producer,
    context: LoadContext,
  ): Promise<Value> {
    const { cell } = value
    const { behaviour, ms } = this.behaviours.get(cell) ?? { behaviour: 'ok', ms: 1 }
    const isSlow = behaviour === 'slow' || behaviour === 'fails-slowly'
    await this.#pass(asking, behaviour === 'hangs' ? HANGS_MS : isSlow ? ms : 0.5)
    if (behaviour === 'fails' || behaviour === 'fails-slowly') {
      this.failedAt = this.#time.now
      throw new OriginError('origin')
    }
    if (behaviour === 'skips' || behaviour === 'refused') {
      producer.skipped = true
      this.#unstored.add(cell)
      if (behaviour === 'skips') context.skip()
      else producer.refused = true
    }
    context.setTags(dynamicTags(cell))
    return value
  }

  #pass(asking: Asking, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#time.after(ms, resolve, asking)
    })
  }
}
