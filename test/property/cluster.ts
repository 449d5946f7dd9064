import type { Scheduler } from 'fast-check'
import type { MemoryStore } from '../../src/index.ts'
import { memory } from '../../src/index.ts'
import { isResilienceError } from '../../src/kernel/errors.ts'
import { seededRandom } from '../../src/kernel/seeded-random.ts'
import type { Source } from '../../src/read-path/outcome.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { History, type Invalidation, type Value } from './history.ts'
import { Node } from './node.ts'
import {
  CELLS,
  type Cell,
  isDirect,
  type Operation,
  type ReadKind,
  type World,
} from './operations.ts'
import { OriginError, Origins } from './origins.ts'
import { type Floor, L2_DEADLINE_MS, ReadChecks, type StartedRead } from './read-checks.ts'
import { Traffic } from './scheduled-store.ts'
import { settle } from './settings.ts'

export type MakeStore = () => Pick<MemoryStore, 'lose'> & ReturnType<typeof memory>

interface Reading {
  readonly value: Value | undefined
  readonly source?: Source
  /** It may have been there for a while: `many` waits for the slowest. */
  readonly early?: boolean
}

/**
 * Several nodes over one store, driven one operation at a time and compared with the history. Beyond
 * 300 lines: each operation is told to the caches and to the history in one place, or they drift apart.
 */
export class Cluster {
  readonly clock = new FakeClock(1_000_000)
  readonly history = new History()
  readonly nodes: Node[]
  readonly origins: Origins
  /** What went wrong, in the order in which it was found. */
  readonly problems: Error[] = []
  /** Reads that ended, by node, as `stats()` should count them. */
  readonly counted: number[]
  readonly sets: number[]
  readonly invalidated: number[]
  unsettled = 0
  readonly #world: World
  readonly #store: ReturnType<MakeStore>
  readonly #traffic: Traffic
  readonly #checks: ReadChecks
  readonly #floors = new Map<string, Floor>()
  readonly #abortable: Array<{ controller: AbortController; node: number; cell: Cell }> = []

  constructor(world: World, scheduler: Scheduler, seed: number, makeStore: MakeStore = memory) {
    this.#world = world
    this.#store = makeStore()
    this.#traffic = new Traffic(scheduler, world.bus)
    this.#checks = new ReadChecks(this.history, world)
    this.origins = new Origins(this.history, this.clock, this.#traffic)
    const count = world.withL2 ? world.nodes : 1
    const random = seededRandom(seed)
    this.nodes = Array.from(
      { length: count },
      (_, index) =>
        new Node({
          index,
          world,
          clock: this.clock,
          random,
          store: this.#store,
          traffic: this.#traffic,
          origins: this.origins,
        }),
    )
    this.counted = this.nodes.map(() => 0)
    this.sets = this.nodes.map(() => 0)
    this.invalidated = this.nodes.map(() => 0)
  }

  node(index: number): Node {
    return this.nodes[index % this.nodes.length] as Node
  }

  #cell(cell: Cell): Cell {
    return this.#world.focus ?? cell
  }

  async run(operation: Operation): Promise<void> {
    switch (operation.type) {
      case 'read':
        this.read(this.node(operation.node), this.#cell(operation.cell), operation.how)
        break
      case 'many':
        this.many(this.node(operation.node), operation.settle)
        break
      case 'write':
        this.write(this.node(operation.node), this.#cell(operation.cell), operation.how)
        break
      case 'tag': {
        const { tag, mode } = operation
        const node = this.node(operation.node)
        this.#invalidate(node, mode, History.cellsWithTag(tag), () =>
          mode === 'hard' ? node.cache.invalidateTag(tag) : node.cache.expireTag(tag),
        )
        break
      }
      case 'clear': {
        const node = this.node(operation.node)
        this.#invalidate(node, 'hard', CELLS, () => node.cache.clear())
        break
      }
      case 'abort': {
        const target = this.#abortable.shift()
        if (target) {
          this.origins.allowAnother(target.node, target.cell)
          target.controller.abort()
        }
        break
      }
      case 'origin':
        this.origins.behaviours.set(this.#cell(operation.cell), operation.behaviour)
        break
      case 'answer':
        this.origins.answer()
        break
      case 'advance':
        await this.flow(operation.ms)
        break
      case 'lag':
        await this.clock.advance(operation.ms)
        break
      case 'step':
        await this.#step(operation.count)
        break
      case 'l2':
        this.node(operation.node).become(operation.state)
        break
      case 'lose':
        this.#store.lose()
        this.#floors.clear()
        break
    }
    await settle()
  }

  /** Time passes, and everything that can come through does. */
  async flow(ms: number): Promise<void> {
    this.#traffic.flowing = true
    await this.#step(Number.POSITIVE_INFINITY)
    await this.clock.advance(ms)
    this.#traffic.flowing = false
  }

  read(node: Node, cell: Cell, how: ReadKind): void {
    if (how === 'peek') {
      this.#peek(node, cell)
      return
    }
    const controller = new AbortController()
    if (how === 'signal') this.#abortable.push({ controller, node: node.index, cell })
    if (how === 'refresh' && !isDirect(cell)) this.origins.allowAnother(node.index, cell)
    const pure = this.#hitExpected(node, cell, how)
    const started = this.#begin(node, cell)
    const reading = this.#start(node, cell, how, controller.signal)
    pure?.()
    this.#follow(started, reading, controller)
  }

  many(node: Node, settled: boolean): void {
    const cells = CELLS.filter((cell) => !isDirect(cell))
    const lists = [...cells, cells[0] as Cell].map((cell): [Cell] => [cell])
    const started = lists.map(([cell]) => this.#begin(node, cell))
    if (!settled) {
      const all = node.fn.many(lists)
      started.forEach((read, i) => {
        this.#follow(
          read,
          all.then((values) => ({ value: values[i] as Value, early: true })),
        )
      })
      return
    }
    const all = node.fn.many(lists, { settle: true })
    started.forEach((read, i) => {
      this.#follow(
        read,
        all.then((results) => {
          const result = results[i]
          if (!result?.ok) throw result?.error
          return { value: result.value as Value, early: true }
        }),
      )
    })
  }

  #begin(node: Node, cell: Cell): StartedRead {
    this.unsettled++
    const started = this.history.next()
    if (node.log.untold === 0) node.log.toldAt = started
    return {
      node: node.index,
      cell,
      started,
      toldAt: node.log.toldAt,
      startedAt: this.clock.now(),
      floor: this.#floors.get(`${node.index}/${cell}`),
    }
  }

  async #start(node: Node, cell: Cell, how: ReadKind, signal: AbortSignal): Promise<Reading> {
    if (how === 'get' || how === 'getMany') {
      if (!isDirect(cell)) return { value: await node.fn(cell) }
      const value =
        how === 'get'
          ? await node.cache.get<Value>(cell)
          : (await node.cache.getMany<Value>([cell]))[0]
      return { value, source: 'l1' }
    }
    if (isDirect(cell)) {
      return { value: await node.getOrSet(cell, how === 'signal' ? signal : undefined) }
    }
    switch (how) {
      case 'detail':
        return node.fn.detail(cell)
      case 'signal':
        return { value: await node.fn.with({ signal })(cell) }
      case 'refresh':
        return { value: await node.fn.refresh(cell), source: 'origin' }
      default:
        return { value: await node.fn(cell) }
    }
  }

  #follow(started: StartedRead, reading: Promise<Reading>, controller?: AbortController): void {
    const node = this.node(started.node)
    reading.then(
      ({ value, source, early }) => {
        this.unsettled--
        this.#count(node)
        if (value !== undefined) this.#given(started, value, source, early)
      },
      (error: unknown) => {
        this.unsettled--
        if (isResilienceError(error, 'ERR_ABORTED') && controller?.signal.aborted) return
        this.#count(node)
        const timedOut = isResilienceError(error, 'ERR_TIMEOUT')
        if (timedOut) this.origins.allowAnother(started.node, started.cell)
        const { fromAnotherProcess } = error as { fromAnotherProcess?: boolean }
        const isOfOrigin = error instanceof OriginError || fromAnotherProcess
        if (!timedOut && !isOfOrigin) this.problems.push(error as Error)
      },
    )
  }

  #given(started: StartedRead, value: Value, source?: Source, early = false): void {
    const now = this.clock.now()
    const troubledAt = this.node(started.node).trouble(now)
    const given = { value, source, endedAt: early ? started.startedAt : now, troubledAt }
    try {
      this.#checks.check(started, given)
    } catch (error) {
      this.problems.push(error as Error)
    }
    const place = `${started.node}/${started.cell}`
    const floor = this.#floors.get(place)
    const producer = this.history.producer(value)
    const counts = this.#checks.isFresh(given) && producer?.kind === 'load' && !producer.skipped
    // Invalidated while it was under way: the caller gets it, and it is stored nowhere.
    const orphaned = this.history.invalidations.some(
      ({ called, acknowledged, floors }) =>
        Math.max(called, acknowledged) > started.started && floors.has(started.cell),
    )
    // A message that comes late makes a node drop what it has just loaded.
    const isStored = source === 'l1' || source === 'l2' || !this.#world.bus
    if (counts && !orphaned && isStored && value.version >= (floor?.version ?? 0)) {
      this.#floors.set(place, { version: value.version, at: now })
    }
  }

  /** I10: a fresh hit asks nobody and starts no timer. Gives the check for after the call. */
  #hitExpected(node: Node, cell: Cell, how: ReadKind): (() => void) | undefined {
    if (this.#world.refreshAhead !== false || isDirect(cell)) return undefined
    if (how !== 'call' && how !== 'detail' && how !== 'signal') return undefined
    if (!node.fn.peekEntry(cell)) return undefined
    this.#count(node)
    const { operations } = node.log
    const { pending } = this.clock
    const calls = this.origins.calls.get(node.index)
    return () => {
      const quiet = node.log.operations === operations && this.clock.pending === pending
      if (!quiet || this.origins.calls.get(node.index) !== calls) {
        this.problems.push(new Error('I10 a fresh hit did more than look into L1'))
      }
    }
  }

  #peek(node: Node, cell: Cell): void {
    if (isDirect(cell)) return
    const started = this.#begin(node, cell)
    const value = node.fn.peek(cell)
    this.unsettled--
    if (value === undefined) return
    this.#count(node)
    this.#given(started, value, 'l1')
  }

  #count(node: Node): void {
    this.counted[node.index] = (this.counted[node.index] as number) + 1
  }

  write(
    node: Node,
    cell: Cell,
    how: 'set' | 'invalidate' | 'silent' | 'set-then-invalidate',
  ): void {
    this.history.change(cell)
    if (how === 'set' || how === 'set-then-invalidate') this.#set(node, cell)
    if (how === 'set-then-invalidate') this.history.change(cell)
    if (how === 'invalidate' || how === 'set-then-invalidate') {
      this.invalidated[node.index] = (this.invalidated[node.index] as number) + 1
      this.#tell(node, this.#told('hard', node, [cell]), () => node.invalidate(cell))
    }
  }

  #set(node: Node, cell: Cell): void {
    const [value, producer] = this.history.produce('set', node.index, cell, this.clock.now())
    this.sets[node.index] = (this.sets[node.index] as number) + 1
    const invalidation = this.#told('hard', node, [cell])
    this.#tell(node, invalidation, async () => {
      const { durable } = await node.set(cell, value)
      if (durable) producer.acknowledged = this.history.next()
      return { durable }
    })
  }

  #invalidate(
    node: Node,
    mode: 'hard' | 'soft',
    cells: readonly Cell[],
    act: () => Promise<{ durable: boolean }>,
  ): void {
    for (const cell of cells) this.history.change(cell)
    this.#tell(node, this.#told(mode, node, cells), act)
  }

  #told(mode: 'hard' | 'soft', node: Node, cells: readonly Cell[]): Invalidation {
    for (const { index } of this.nodes) {
      for (const cell of cells) this.origins.allowAnother(index, cell)
    }
    return this.history.invalidate(mode, node.index, cells, this.clock.now())
  }

  #tell(node: Node, invalidation: Invalidation, act: () => Promise<{ durable: boolean }>): void {
    this.unsettled++
    act().then(
      ({ durable }) => {
        this.unsettled--
        if (durable) {
          invalidation.acknowledgedAt = this.clock.now()
          invalidation.acknowledged = this.history.next()
        } else if (this.#wasServed(node, invalidation)) {
          this.problems.push(new Error('an invalidation was not durable though L2 was well'))
        }
      },
      (error: unknown) => {
        this.unsettled--
        this.problems.push(error as Error)
      },
    )
  }

  /** The store answered everything in time since, and there was time. */
  #wasServed(node: Node, { calledAt }: Invalidation): boolean {
    const now = this.clock.now()
    return node.trouble(now) < calledAt && now - calledAt < L2_DEADLINE_MS
  }

  async #step(count: number): Promise<void> {
    const { scheduler } = this.#traffic
    await settle()
    for (let i = 0; i < count && scheduler.count() > 0; i++) {
      await scheduler.waitNext(1)
      await settle()
    }
  }
}
