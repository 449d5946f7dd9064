import type { LoadContext } from '../../src/index.ts'
import type { FakeClock } from '../../src/testing/fake-clock.ts'
import type { History, Producer, Value } from './history.ts'
import { type Cell, dynamicTags, type OriginBehaviour } from './operations.ts'
import type { StoreLog, Traffic } from './scheduled-store.ts'

const SLOW_MS = 240
/** Beyond every time-out of these worlds. */
const HANGS_MS = 5000

export class OriginError extends Error {}

/** The database as the nodes ask it: every call is seen, and goes as its cell is told to. */
export class Origins {
  readonly behaviours = new Map<Cell, OriginBehaviour>()
  /** Calls so far, by node. */
  readonly calls = new Map<number, number>()
  readonly running = new Map<string, number>()
  /** How many loads of a cell may run at once on a node: one, and one more per thing that ends one. */
  readonly allowed = new Map<string, number>()
  readonly #held: Array<() => void> = []
  readonly #history: History
  readonly #clock: FakeClock
  readonly #traffic: Traffic

  constructor(history: History, clock: FakeClock, traffic: Traffic) {
    this.#history = history
    this.#clock = clock
    this.#traffic = traffic
  }

  /** From now on a second load of the cell is right: the present one is not to be joined any more. */
  allowAnother(node: number, cell: Cell): void {
    const place = `${node}/${cell}`
    this.allowed.set(place, (this.allowed.get(place) ?? 1) + 1)
  }

  /** The call that has been held longest goes on. */
  answer(): void {
    this.#held.shift()?.()
  }

  async load(node: number, cell: Cell, context: LoadContext, log: StoreLog): Promise<Value> {
    this.count(node)
    return this.#answer(node, cell, context, log)
  }

  async loadMany(
    node: number,
    cells: readonly Cell[],
    context: LoadContext,
    log: StoreLog,
  ): Promise<Array<Value | Error>> {
    this.count(node)
    // What the context is told holds for all of them: it is told once, for all.
    const own = { ...context, signal: context.signal, setTags() {} }
    const settled = await Promise.allSettled(
      cells.map((cell) => this.#answer(node, cell, own, log)),
    )
    context.setTags(cells.flatMap(dynamicTags))
    const skipped = cells.some((cell) => this.behaviours.get(cell) === 'skips')
    return settled.map((result) => {
      if (result.status === 'rejected') return result.reason as Error
      const producer = this.#history.producer(result.value)
      // The cache gets it when the slowest of them is there.
      if (producer) Object.assign(producer, { endedAt: this.#clock.now(), skipped })
      return result.value
    })
  }

  count(node: number): void {
    this.calls.set(node, (this.calls.get(node) ?? 0) + 1)
  }

  async #answer(node: number, cell: Cell, context: LoadContext, log: StoreLog): Promise<Value> {
    const place = `${node}/${cell}`
    const running = (this.running.get(place) ?? 0) + 1
    this.running.set(place, running)
    if (running > (this.allowed.get(place) ?? 1)) {
      throw new Error(`I3 ${running} loads of cell ${cell} at once on node ${node}`)
    }
    // What was told to give up may go on for a while, and is not joined.
    context.signal.addEventListener('abort', () => this.allowAnother(node, cell), { once: true })
    const [value, producer] = this.#history.produce('load', node, cell, this.#clock.now())
    try {
      return await this.#behave(cell, value, producer, context)
    } finally {
      this.running.set(place, (this.running.get(place) as number) - 1)
      producer.endedAt = this.#clock.now()
      producer.troubled = log.trouble() >= producer.startedAt - 200
    }
  }

  async #behave(
    cell: Cell,
    value: Value,
    producer: Producer,
    context: LoadContext,
  ): Promise<Value> {
    const behaviour = this.behaviours.get(cell) ?? 'ok'
    if (behaviour === 'hangs') await this.#hold(context.signal)
    if (behaviour === 'held') await this.#hold(context.signal, this.#held)
    if (behaviour === 'slow' || behaviour === 'fails-slowly') await this.#sleep(SLOW_MS)
    await this.#traffic.pass('origin')
    if (behaviour === 'fails' || behaviour === 'fails-slowly') throw new OriginError('origin')
    if (behaviour === 'skips') {
      producer.skipped = true
      context.skip()
    }
    context.setTags(dynamicTags(cell))
    return value
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, ms)
    })
  }

  /** Until it is answered or told to give up; for ever would hold its place among the loads for ever. */
  #hold(signal: AbortSignal, held?: Array<() => void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#clock.clearTimeout(timer)
        reject(new OriginError('gave up'))
      }
      const timer = this.#clock.setTimeout(giveUp, HANGS_MS)
      if (signal.aborted) giveUp()
      else signal.addEventListener('abort', giveUp, { once: true })
      held?.push(() => {
        this.#clock.clearTimeout(timer)
        resolve()
      })
    })
  }
}
