import { isResilienceError } from '../../kernel/errors.ts'
import type { Source } from '../../read-path/outcome.ts'
import { CELLS, type Cell, isDirect } from './cells.ts'
import type { Mutant } from './mutants.ts'
import type {
  Call,
  Fault,
  Operation,
  ReadKind,
  Schedule,
  Stamping,
  WriteKind,
} from './operations.ts'
import { isFault } from './operations.ts'
import { type Floor, L2_DEADLINE_MS, SimChecks, type StartedRead } from './sim-checks.ts'
import { SIM_START_MS } from './sim-clock.ts'
import { SimCluster } from './sim-cluster.ts'
import { type Invalidation, SimHistory, type Value } from './sim-history.ts'
import type { SimNode } from './sim-node.ts'
import { isOriginError } from './sim-origins.ts'
import { Trace } from './trace.ts'

/** What ends a wait for an origin may itself be a little late. */
const LATE_MS = 20
/** Round trips besides the one that may take a whole deadline. */
const MORE_ROUND_TRIPS_MS = 45
/** Who waits for another process looks again within this time, whatever messages are lost. */
const LONGEST_POLL_MS = 500
/** A failing origin is called so often for all who wait for it together. */
const MOST_FAILURES = 3

interface Reading {
  readonly value: Value | undefined
  readonly source?: Source
  /** It may have been there for a while: `many` waits for the slowest. */
  readonly early?: boolean
}

interface Watched extends StartedRead {
  readonly node: SimNode
  readonly isAlone: boolean
}

/**
 * One schedule: its operations are done to the cluster at their instants, and everything that comes of
 * them is compared with the history. Beyond 300 lines: each operation is told to the caches and to the
 * history in one place, or they drift apart.
 */
export class SimRun {
  readonly cluster: SimCluster
  readonly trace: Trace
  operations = 0
  faults = 0
  /** Calls that have not ended, by process. */
  readonly unsettled = new Map<number, number>()
  readonly #schedule: Schedule
  readonly #checks: SimChecks
  readonly #floors = new Map<string, Floor>()
  /** Reads so far, by cell. */
  readonly #begun = new Map<Cell, number>()
  #abortable: Array<{ controller: AbortController; process: number; cell: Cell }> = []

  constructor(schedule: Schedule, mutant: Mutant, isTraced: boolean) {
    this.#schedule = schedule
    this.cluster = new SimCluster(schedule, mutant)
    this.trace = new Trace(this.cluster.time, isTraced)
    this.#checks = new SimChecks(this.cluster.history, schedule.settings)
    this.cluster.origins.onProblem = (message) => this.trace.problem(message)
    this.cluster.onReplaced = (gone) => {
      this.unsettled.delete(gone.process)
      this.#abortable = this.#abortable.filter(({ process }) => process !== gone.process)
    }
  }

  /** Does all operations of the schedule, as long as nothing is wrong. */
  async play(): Promise<void> {
    const { time, redis } = this.cluster
    for (const operation of this.#schedule.operations) {
      if (operation.at > time.now) await time.sleep(operation.at - time.now)
      this.#do(operation)
      for (const violation of redis.watch.violations) this.trace.problem(violation)
      if (this.trace.problems.length > 0) return
    }
  }

  get focus(): Cell | undefined {
    return this.#schedule.settings.focus
  }

  #do(operation: Operation): void {
    this.trace.operation(operation)
    if (isFault(operation) || operation.type === 'heal') {
      if (operation.type !== 'heal') this.faults++
      this.cluster.suffer(operation as Fault)
    } else {
      this.operations++
      this.#call(operation as Call)
    }
  }

  #call(call: Call): void {
    const { cluster } = this
    switch (call.type) {
      case 'read':
        this.#on(call.node, (node) => this.read(node, this.focus ?? call.cell, call.how))
        break
      case 'many':
        this.#on(call.node, (node) => this.#many(node, call.settle))
        break
      case 'sweep':
        for (let place = 0; place < cluster.nodes.length; place++) {
          const cells = this.focus === undefined ? CELLS : [this.focus]
          this.#on(place, (node) => {
            for (const cell of cells) this.read(node, cell, 'detail')
          })
        }
        break
      case 'write':
        this.#on(call.node, (node) => this.write(node, this.focus ?? call.cell, call.how))
        break
      case 'tag':
        this.#on(call.node, (node) => this.#tag(node, call.tag, call.mode))
        break
      case 'clear':
        this.#on(call.node, (node) => {
          this.#invalidate(node, 'hard', CELLS, () => node.cache.clear())
        })
        break
      case 'burst':
        this.#burst(this.focus ?? call.cell, call.ms)
        break
      case 'abort':
        this.#abort()
        break
      case 'origin':
        cluster.origins.behaviours.set(this.focus ?? call.cell, call)
        break
    }
  }

  /** A process that stands still does what it is to do when it goes on. */
  #on(place: number, task: (node: SimNode) => void): void {
    const { time } = this.cluster
    const node = this.cluster.node(place)
    if (node.pausedUntil <= time.now) task(node)
    else time.schedule(node.pausedUntil, () => task(node), node)
  }

  read(node: SimNode, cell: Cell, how: ReadKind): void {
    if (how === 'peek') {
      this.#peek(node, cell)
      return
    }
    const { origins } = this.cluster
    const controller = new AbortController()
    const { process } = node
    if (how === 'signal') this.#abortable.push({ controller, process, cell })
    if (how === 'refresh' && !isDirect(cell)) {
      // It is loaded whatever anybody else is loading.
      for (const other of this.cluster.nodes) origins.allowAnother(other.process, cell)
      origins.supersede(process, cell)
    }
    const check = this.#hitExpected(node, cell, how)
    const started = this.#begin(node, cell)
    const reading = this.#start(node, cell, how, controller.signal)
    check?.()
    this.#follow(started, reading, controller)
  }

  #many(node: SimNode, settled: boolean): void {
    const cells = CELLS.filter((cell) => !isDirect(cell))
    const lists = [...cells, cells[0] as Cell].map((cell): [Cell] => [cell])
    const started = lists.map(([cell]) => ({ ...this.#begin(node, cell), isAlone: false }))
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

  /** I3: if nothing else happens, all of them together call a failing origin three times at most. */
  #burst(cell: Cell, ms: number): void {
    const { cluster } = this
    const { origins, history, time, nodes } = cluster
    // Who has just connected, or is about to, loads without a lease.
    const isQuiet = nodes.every(
      (node) =>
        !origins.isLoading(node.process, cell) &&
        node.isServed &&
        node.trouble() < time.now - LONGEST_POLL_MS,
    )
    // One that L2 hears of only now may end the leases that are being given out.
    const isChanging = history.invalidations.some(
      ({ acknowledgedAt, floors }) =>
        floors.has(cell) && acknowledgedAt > time.now - LONGEST_POLL_MS,
    )
    const behaviour = { behaviour: 'fails-slowly', ms } as const
    origins.behaviours.set(cell, behaviour)
    const before = origins.callsOf.get(cell) ?? 0
    for (let place = 0; place < nodes.length; place++) {
      this.#on(place, (node) => this.read(node, cell, 'call'))
    }
    const seen = [this.#begun.get(cell), history.invalidations.length]
    const look = (): void => {
      const present = [this.#begun.get(cell), history.invalidations.length]
      const isDisturbed =
        !isQuiet ||
        isChanging ||
        !origins.isUntroubled ||
        seen.some((count, i) => count !== present[i])
      const calls = (origins.callsOf.get(cell) ?? 0) - before
      if (!isDisturbed && origins.behaviours.get(cell) === behaviour && calls > MOST_FAILURES) {
        this.trace.problem(`I3 a failing origin was called ${calls} times for one burst`)
      }
    }
    time.after(MOST_FAILURES * (ms + 60), look)
  }

  #begin(node: SimNode, cell: Cell): Watched {
    const { process } = node
    this.#pending(process, 1)
    this.#begun.set(cell, (this.#begun.get(cell) ?? 0) + 1)
    return {
      node,
      process,
      cell,
      started: this.cluster.history.next(),
      startedAt: this.cluster.time.now,
      floor: this.#floors.get(`${process}/${cell}`),
      isAlone: true,
    }
  }

  #pending(process: number, change: number): void {
    this.unsettled.set(process, (this.unsettled.get(process) ?? 0) + change)
  }

  async #start(node: SimNode, cell: Cell, how: ReadKind, signal: AbortSignal): Promise<Reading> {
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

  #follow(started: Watched, reading: Promise<Reading>, controller?: AbortController): void {
    const { node, cell, process } = started
    reading.then(
      ({ value, source, early }) => {
        this.#pending(process, -1)
        node.counted.reads++
        this.#checkDuration(started)
        this.trace.answer(process, cell, started.startedAt, value, source)
        if (value !== undefined) this.#given(started, value, source, early)
      },
      (error: unknown) => {
        this.#pending(process, -1)
        if (isResilienceError(error, 'ERR_ABORTED') && controller?.signal.aborted) return
        node.counted.reads++
        this.trace.failure(process, cell, error)
        const isTimeout = isResilienceError(error, 'ERR_TIMEOUT')
        if (isTimeout) this.cluster.origins.allowAnother(process, cell)
        if (!this.#isDueToOrigin(started, isTimeout) || !(isTimeout || isOriginError(error))) {
          this.trace.problem(`I4 a read was rejected for another reason than its origin: ${error}`)
        }
      },
    )
  }

  /** An origin has failed lately; or there was something to wait for until it took too long. */
  #isDueToOrigin({ node, startedAt, process }: Watched, isTimeout: boolean): boolean {
    const { origins, redis } = this.cluster
    const { errorTtl, hardTimeout } = this.#schedule.settings
    if (node.pausedUntil >= startedAt - hardTimeout) return true
    if (!isTimeout) return origins.failedAt >= startedAt - errorTtl - 2 * LONGEST_POLL_MS
    const waitedAt = Math.max(origins.endedAt(process), redis.watch.heldAt - SIM_START_MS)
    return origins.isBusy(process) || waitedAt >= startedAt - hardTimeout
  }

  /** I4: who waits for nobody else waits for its origin and one L2 deadline. */
  #checkDuration(started: Watched): void {
    const { node, startedAt } = started
    const { time } = this.cluster
    const waited = time.now - this.#waitsSince(started)
    if (node.pausedUntil < startedAt && waited > L2_DEADLINE_MS + MORE_ROUND_TRIPS_MS) {
      this.trace.problem(`I4 a read waited ${Math.round(waited)} ms for L2 alone`)
    }
    this.#checkWait(started)
  }

  /** From when on there is nothing that it might still wait for but L2. */
  #waitsSince({ startedAt, process, cell, isAlone }: Watched): number {
    const { history, origins, redis, time } = this.cluster
    if (!isAlone || origins.isBusy(process)) return time.now
    // What is read anew after an invalidation may take as long as the first time.
    const isAnew = history.invalidations.some(
      ({ calledAt, acknowledgedAt, floors }) =>
        floors.has(cell) &&
        (acknowledgedAt === Number.POSITIVE_INFINITY ||
          Math.max(calledAt, acknowledgedAt) > startedAt - 4 * L2_DEADLINE_MS),
    )
    if (isAnew) return time.now
    const heldAt = redis.watch.heldAt - SIM_START_MS
    const until = heldAt > startedAt - LONGEST_POLL_MS ? heldAt + LONGEST_POLL_MS : startedAt
    return Math.max(startedAt, origins.endedAt(process), until)
  }

  /** Nobody waits longer than the origin may take, whoever calls it. */
  #checkWait({ node, startedAt }: Watched): void {
    const { time } = this.cluster
    const { hardTimeout } = this.#schedule.settings
    if (node.pausedUntil >= startedAt) return
    // What is read anew after an invalidation has a time-out of its own.
    if (time.now - startedAt > 2 * hardTimeout + 4 * L2_DEADLINE_MS + LATE_MS) {
      this.trace.problem(`I4 a read took ${Math.round(time.now - startedAt)} ms`)
    }
  }

  #given(started: Watched, value: Value, source?: Source, early = false): void {
    const { history, lostAt, origins, time } = this.cluster
    const { node, cell, process, startedAt } = started
    // What was chosen before a pause is handed out after it.
    const isEarly = early || node.pausedUntil >= startedAt
    const given = {
      value,
      source,
      endedAt: isEarly ? startedAt : time.now,
      troubledAt: node.dataTrouble(),
      clockErrorMs: node.longestPauseMs / 2,
      lostAt,
      originFailed: origins.failedAt >= startedAt,
    }
    const wrong = this.#checks.check(started, given)
    if (wrong) {
      const read = `node ${process} read cell ${cell} at ${startedAt.toFixed(1)}`
      this.trace.problem(`${wrong}: ${read}, got version ${value.version} from ${source ?? '?'}`)
    }
    const place = `${process}/${cell}`
    const floor = this.#floors.get(place)
    const producer = history.producer(value)
    const counts = this.#checks.isFresh(given) && producer?.kind === 'load' && !producer.skipped
    // Invalidated while it was under way: the caller gets it, and it is stored nowhere.
    const isOrphan = history.invalidations.some(
      ({ called, acknowledged, floors }) =>
        Math.max(called, acknowledged) > started.started && floors.has(cell),
    )
    // Loaded without L2, it gives way to what L2 holds when the two are compared.
    const isHereOnly = source === 'l1' && producer?.process === process && producer.troubled
    // A message that comes late makes a node drop what it has just loaded.
    const isStored = (source === 'l1' && !isHereOnly) || source === 'l2'
    if (counts && !isOrphan && isStored && value.version >= (floor?.version ?? 0)) {
      this.#floors.set(place, { version: value.version, at: time.now })
    }
  }

  /** I10: a fresh hit asks nobody and starts no timer. Gives the check for after the call. */
  #hitExpected(node: SimNode, cell: Cell, how: ReadKind): (() => void) | undefined {
    if (this.#schedule.settings.refreshAhead !== false || isDirect(cell)) return undefined
    if (how !== 'call' && how !== 'detail' && how !== 'signal') return undefined
    if (!node.fn.peekEntry(cell)) return undefined
    node.counted.reads++
    const { calls } = this.cluster.origins
    const before = [node.transport?.sent, node.clock.started, calls.get(node.process)]
    return () => {
      const after = [node.transport?.sent, node.clock.started, calls.get(node.process)]
      if (before.some((count, i) => count !== after[i])) {
        this.trace.problem('I10 a fresh hit did more than look into L1')
      }
    }
  }

  #peek(node: SimNode, cell: Cell): void {
    if (isDirect(cell)) return
    const started = this.#begin(node, cell)
    const value = node.fn.peek(cell)
    this.#pending(node.process, -1)
    if (value === undefined) return
    node.counted.reads++
    this.trace.answer(node.process, cell, started.startedAt, value, 'l1')
    this.#given(started, value, 'l1')
  }

  write(node: SimNode, cell: Cell, how: WriteKind): void {
    const { history } = this.cluster
    history.change(cell)
    if (how === 'set' || how === 'set-then-invalidate') this.#set(node, cell)
    if (how === 'set-then-invalidate') history.change(cell)
    if (how === 'invalidate' || how === 'set-then-invalidate') {
      node.counted.invalidations++
      this.#tell(node, this.#told(node, 'hard', [cell]), () => node.invalidate(cell))
    }
  }

  #set(node: SimNode, cell: Cell): void {
    const { history, time } = this.cluster
    const [value, producer] = history.produce('set', node.process, cell, time.now)
    node.counted.sets++
    const invalidation = this.#told(node, 'hard', [cell])
    invalidation.isSet = true
    this.#tell(node, invalidation, async () => {
      const { durable } = await node.set(cell, value)
      if (durable) producer.acknowledged = history.next()
      return { durable }
    })
  }

  #tag(node: SimNode, tag: 't0' | 't1' | 'dynamic', mode: Stamping): void {
    this.#invalidate(node, mode, SimHistory.cellsWithTag(tag), () =>
      mode === 'hard' ? node.cache.invalidateTag(tag) : node.cache.expireTag(tag),
    )
  }

  #abort(): void {
    const target = this.#abortable.shift()
    if (!target) return
    this.cluster.origins.allowAnother(target.process, target.cell)
    target.controller.abort()
  }

  #invalidate(
    node: SimNode,
    mode: Stamping,
    cells: readonly Cell[],
    act: () => Promise<{ durable: boolean }>,
  ): void {
    for (const cell of cells) this.cluster.history.change(cell)
    this.#tell(node, this.#told(node, mode, cells), act)
  }

  #told({ process }: SimNode, mode: Stamping, cells: readonly Cell[]): Invalidation {
    this.cluster.allowAnother()
    return this.cluster.history.invalidate(mode, process, cells, this.cluster.time.now)
  }

  #tell(node: SimNode, invalidation: Invalidation, act: () => Promise<{ durable: boolean }>): void {
    const { history, time } = this.cluster
    this.#pending(node.process, 1)
    act().then(
      ({ durable }) => {
        this.#pending(node.process, -1)
        this.trace.told(node.process, invalidation.calledAt, durable)
        if (durable) {
          invalidation.acknowledgedAt = time.now
          invalidation.acknowledged = history.next()
        } else if (this.#wasServed(node, invalidation)) {
          this.trace.problem('I4 an invalidation was not durable though L2 was well')
        }
      },
      (error: unknown) => {
        this.#pending(node.process, -1)
        this.trace.problem(`I4 an invalidation was rejected: ${error}`)
      },
    )
  }

  /** Redis answered everything in time since, and there was time. */
  #wasServed(node: SimNode, { calledAt }: Invalidation): boolean {
    return node.trouble() < calledAt && this.cluster.time.now - calledAt < L2_DEADLINE_MS
  }
}
