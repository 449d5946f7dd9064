import { seededRandom } from '../../kernel/seeded-random.ts'
import { CELLS, type Cell, type Tag } from './cells.ts'
import type {
  Call,
  EvictedKind,
  Fault,
  Operation,
  OriginBehaviour,
  ReadKind,
  Schedule,
  Stamping,
  WorldSettings,
  WriteKind,
} from './operations.ts'
import { Chance } from './random-choice.ts'
import type { LinkMode } from './sim-link.ts'

/** How often each kind of fault comes, in relation to each other and to 100 for all calls together. */
export interface FaultRates {
  /** A process stands still for a while. */
  readonly pause: number
  /** A process is gone, and a new one takes its place. */
  readonly crash: number
  /** A link gets slow, half-open or dead. */
  readonly link: number
  /** A connection is reset. */
  readonly cut: number
  /** Messages of the bus are lost or come twice. */
  readonly bus: number
  /** A wall clock jumps. */
  readonly skew: number
  /** A replica takes over, and what it had not got is lost. */
  readonly failover: number
  /** Redis starts again with nothing. */
  readonly restart: number
  readonly flush: number
  /** Redis drops a key. */
  readonly evict: number
  /** Redis forgets its scripts. */
  readonly scripts: number
}

export const DEFAULT_RATES: FaultRates = {
  pause: 3,
  crash: 2,
  link: 5,
  cut: 3,
  bus: 4,
  skew: 1,
  failover: 2.5,
  restart: 1,
  flush: 1,
  evict: 4,
  scripts: 1,
}

export interface ScheduleOptions {
  readonly nodes: number | undefined
  readonly steps: number | undefined
  readonly rates: FaultRates | undefined
}

/** One in so many is clustered: 65 sequences take their time. */
const CLUSTERED_EVERY = 25

/** The one schedule of a seed. */
export function scheduleOf(seed: number, options: ScheduleOptions): Schedule {
  const chance = new Chance(seededRandom(Math.imul(seed, 0x9e3779b1) + 1))
  const isClustered = seed % CLUSTERED_EVERY === 0
  const settings = { ...settingsOf(chance, options.nodes), isClustered }
  const rates = chance.with(0.2) ? undefined : options.rates
  return { seed, settings, operations: operationsOf(chance, settings, options.steps, rates) }
}

function settingsOf(chance: Chance, nodes: number | undefined): Omit<WorldSettings, 'isClustered'> {
  return {
    nodes: nodes ?? chance.of(2, 2, 3, 4),
    focus: chance.of<Cell | undefined>(undefined, undefined, 0, 1, 2, 3),
    ttl: chance.of(600, 10_000, 10_000),
    grace: chance.of(0, 0, 3000),
    softTimeout: chance.of(0, 60),
    hardTimeout: chance.of(1500, 6000),
    completeInBackground: chance.with(0.5),
    refreshAhead: chance.of<number | false>(false, false, 0.5),
    errorTtl: chance.of(0, 0, 200),
    l1Ttl: chance.of(300, 10_000, 10_000),
    manyOrigin: chance.with(0.3),
  }
}

type Step = (chance: Chance, nodes: number) => ReadonlyArray<readonly [number, Call | Fault]>

function operationsOf(
  chance: Chance,
  { nodes }: WorldSettings,
  steps: number | undefined,
  rates: FaultRates | undefined,
): Operation[] {
  const count = steps ?? 24 + chance.upTo(40)
  const weighted = [...CALLS, ...(rates ? faultsOf(rates) : [])]
  const operations: Operation[] = []
  // Most begin when all are connected, some at once.
  let at = chance.with(0.85) ? 20 : 0
  while (operations.length < count) {
    at += gap(chance)
    for (const [ms, step] of chance.weighted(weighted)(chance, nodes)) {
      operations.push({ at: at + ms, ...step })
    }
  }
  return operations.sort((one, other) => one.at - other.at)
}

function gap(chance: Chance): number {
  const random = chance.random()
  if (random < 0.45) return chance.between(0, 3)
  if (random < 0.75) return chance.between(3, 60)
  if (random < 0.93) return chance.between(60, 600)
  return chance.between(600, 2500)
}

const one =
  (make: (chance: Chance, nodes: number) => Call | Fault): Step =>
  (chance, nodes) => [[0, make(chance, nodes)]]

const cell = (chance: Chance): Cell => chance.of(...CELLS)
const tag = (chance: Chance): Tag => chance.of<Tag>('t0', 't1', 'dynamic')
const stamping = (chance: Chance): Stamping => chance.of<Stamping>('hard', 'hard', 'soft')

const READS: ReadonlyArray<readonly [number, ReadKind]> = [
  [3, 'call'],
  [6, 'detail'],
  [1, 'signal'],
  [1, 'refresh'],
  [1, 'peek'],
  [1, 'get'],
  [1, 'getMany'],
]
const WRITES: ReadonlyArray<readonly [number, WriteKind]> = [
  [2, 'set'],
  [4, 'invalidate'],
  [1, 'silent'],
  [1, 'set-then-invalidate'],
]
const BEHAVIOURS: ReadonlyArray<readonly [number, OriginBehaviour]> = [
  [4, 'ok'],
  [5, 'slow'],
  [1, 'fails'],
  [1, 'fails-slowly'],
  [1, 'skips'],
  [1, 'refused'],
  [0.5, 'hangs'],
]

function read(chance: Chance, nodes: number): Call {
  return { type: 'read', node: chance.upTo(nodes), cell: cell(chance), how: chance.weighted(READS) }
}

function write(chance: Chance, nodes: number): Call {
  const node = chance.upTo(nodes)
  return { type: 'write', node, cell: cell(chance), how: chance.weighted(WRITES) }
}

function stamp(chance: Chance, nodes: number): Call {
  return { type: 'tag', node: chance.upTo(nodes), tag: tag(chance), mode: stamping(chance) }
}

function change(chance: Chance, nodes: number): Call {
  return chance.with(0.6) ? write(chance, nodes) : stamp(chance, nodes)
}

/** A load takes a while, something is written meanwhile, and the key is read again. */
function race(chance: Chance, nodes: number): ReturnType<Step> {
  const place = cell(chance)
  const ms = chance.between(5, 400)
  const node = chance.upTo(nodes)
  const written = change(chance, nodes)
  const aimed = 'cell' in written ? { ...written, cell: place } : written
  const again = chance.upTo(nodes)
  return [
    [0, { type: 'origin', cell: place, behaviour: 'slow', ms }],
    [chance.between(0, 1), { type: 'read', node, cell: place, how: 'detail' }],
    [chance.between(1, ms), aimed],
    [chance.between(1, ms), { type: 'read', node: again, cell: place, how: 'call' }],
    [ms + chance.between(0, 30), { type: 'read', node: again, cell: place, how: 'detail' }],
    [ms + chance.between(5, 60), { type: 'read', node, cell: place, how: 'detail' }],
  ]
}

/** All have it, it changes, and all are asked again, at once or when the bound has passed. */
function spread(chance: Chance, nodes: number): ReturnType<Step> {
  const written = chance.with(0.7)
    ? change(chance, nodes)
    : ({ type: 'clear', node: chance.upTo(nodes) } as const)
  const until = chance.of(20, 300, 1500, 1900, 4000)
  return [
    [0, { type: 'sweep' }],
    [chance.between(20, 200), written],
    [200 + until, { type: 'sweep' }],
  ]
}

const CALLS: ReadonlyArray<readonly [number, Step]> = [
  [44, one(read)],
  [4, one((chance, n) => ({ type: 'many', node: chance.upTo(n), settle: chance.with(0.5) }))],
  [16, one(write)],
  [8, one(stamp)],
  [1.5, one((chance, n) => ({ type: 'clear', node: chance.upTo(n) }))],
  [2, one(() => ({ type: 'abort' }))],
  [
    8,
    one((chance) => ({
      type: 'origin',
      cell: cell(chance),
      behaviour: chance.weighted(BEHAVIOURS),
      ms: chance.of(20, 120, 240, 1000, 3000),
    })),
  ],
  [2, one(() => ({ type: 'sweep' }))],
  // Long enough for all to be waiting when it fails first: who asks later counts from there.
  [1.5, one((chance) => ({ type: 'burst', cell: cell(chance), ms: chance.of(40, 60, 90) }))],
  [9, race],
  [3.5, spread],
]

/** While something is in trouble, things happen; then it is repaired, and all is looked at. */
const thenHeal =
  (make: (chance: Chance, nodes: number) => Fault): Step =>
  (chance, nodes) => {
    const ms = chance.of(60, 400, 1500, 4000)
    if (chance.with(0.2)) return [[0, make(chance, nodes)]]
    return [
      [0, make(chance, nodes)],
      [chance.between(0, ms), change(chance, nodes)],
      [chance.between(0, ms), read(chance, nodes)],
      [ms, { type: 'heal' }],
      [ms + chance.of(10, 1000, 5000), { type: 'sweep' }],
    ]
  }

/** Something is invalidated, Redis loses something, and all is looked at. */
const afterChange =
  (make: (chance: Chance, nodes: number) => Fault): Step =>
  (chance, nodes) => [
    [0, { type: 'sweep' }],
    [chance.between(30, 60), change(chance, nodes)],
    [chance.between(30, 120), make(chance, nodes)],
    [chance.between(120, 300), { type: 'sweep' }],
  ]

function link(chance: Chance, nodes: number): Fault {
  const mode = chance.of<LinkMode>('slow', 'mute', 'dead', 'dead')
  const which = chance.of<'data' | 'bus' | 'both'>('data', 'bus', 'both')
  return { type: 'link', node: chance.upTo(nodes), which, mode }
}

function bus(chance: Chance, nodes: number): Fault {
  const node = chance.upTo(nodes)
  return { type: 'bus', node, lost: chance.of(0.2, 1), twice: chance.of(0, 0.3) }
}

function evict(chance: Chance): Fault {
  const kind = chance.of<EvictedKind>('any', 'stamp', 'stamp', 'sequence', 'lease', 'entry')
  return { type: 'evict', share: chance.random(), kind }
}

function failover(chance: Chance, nodes: number): ReturnType<Step> {
  const ms = chance.of(30, 300, 1500)
  return [
    [0, { type: 'lag', ms: chance.of(0, 5, 100, 1000) }],
    [chance.between(10, 200), change(chance, nodes)],
    [200, { type: 'failover', ms }],
    [200 + chance.between(0, ms), read(chance, nodes)],
    [200 + ms + chance.of(20, 1000, 5000), { type: 'sweep' }],
  ]
}

function restart(chance: Chance): Fault {
  return { type: 'restart', ms: chance.of(20, 300, 1500) }
}

function faultsOf(rates: FaultRates): ReadonlyArray<readonly [number, Step]> {
  const steps: Record<keyof FaultRates, Step> = {
    pause: one((chance, n) => ({
      type: 'pause',
      node: chance.upTo(n),
      ms: chance.of(20, 60, 300, 2000, 6000),
    })),
    crash: one((chance, n) => ({ type: 'crash', node: chance.upTo(n) })),
    link: thenHeal(link),
    cut: one((chance, n) => ({ type: 'cut', node: chance.upTo(n) })),
    bus: thenHeal(bus),
    skew: one((chance, n) => ({
      type: 'skew',
      node: chance.upTo(n),
      ms: chance.of(-3_600_000, -500, 500, 3_600_000),
    })),
    failover,
    restart: afterChange(restart),
    flush: afterChange(() => ({ type: 'flush' })),
    evict: afterChange(evict),
    scripts: one(() => ({ type: 'forget-scripts' })),
  }
  return Object.entries(steps).map(([name, step]) => [rates[name as keyof FaultRates], step])
}
