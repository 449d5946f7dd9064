import fc from 'fast-check'

/** 0 and 1 are arguments of the cached function, 2 and 3 keys of `getOrSet`, `get`, `set` and `delete`. */
export const CELLS = [0, 1, 2, 3] as const
export type Cell = (typeof CELLS)[number]

export const isDirect = (cell: Cell): boolean => cell >= 2

export type Tag = 't0' | 't1' | 'dynamic'

/** Declared with the call. */
export const declaredTags = (cell: Cell): Tag[] => [cell % 2 === 0 ? 't0' : 't1']
/** Said by the origin, with `setTags`. */
export const dynamicTags = (cell: Cell): Tag[] => (cell === 0 || cell === 3 ? ['dynamic'] : [])

export type OriginBehaviour = 'ok' | 'slow' | 'held' | 'fails' | 'fails-slowly' | 'skips' | 'hangs'

export interface World {
  /** All operations are on this cell: fewer things happen, and more of them meet. */
  readonly focus: Cell | undefined
  readonly nodes: number
  readonly withL2: boolean
  /** Whether messages reach the other nodes. */
  readonly bus: boolean
  readonly ttl: number
  readonly grace: number
  readonly softTimeout: number
  readonly hardTimeout: number
  readonly completeInBackground: boolean
  readonly refreshAhead: number | false
  readonly errorTtl: number
  readonly l1Ttl: number
  readonly manyOrigin: boolean
  readonly maxLoads: number | undefined
}

export type Operation =
  | { readonly type: 'read'; readonly node: number; readonly cell: Cell; readonly how: ReadKind }
  | { readonly type: 'many'; readonly node: number; readonly settle: boolean }
  | { readonly type: 'write'; readonly node: number; readonly cell: Cell; readonly how: WriteKind }
  | {
      readonly type: 'tag'
      readonly node: number
      readonly tag: Tag
      readonly mode: 'hard' | 'soft'
    }
  | { readonly type: 'clear'; readonly node: number }
  | { readonly type: 'abort' }
  | { readonly type: 'origin'; readonly cell: Cell; readonly behaviour: OriginBehaviour }
  /** The oldest held call of an origin is answered. */
  | { readonly type: 'answer' }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'lag'; readonly ms: number }
  | { readonly type: 'step'; readonly count: number }
  | { readonly type: 'l2'; readonly node: number; readonly state: L2State }
  | { readonly type: 'lose' }

export type ReadKind = 'call' | 'detail' | 'signal' | 'refresh' | 'peek' | 'get' | 'getMany'
/** `silent`: the database changes and no cache is told. */
export type WriteKind = 'set' | 'invalidate' | 'silent' | 'set-then-invalidate'
export type L2State = 'killed' | 'hanging' | 'late' | 'healthy'

export const worlds: fc.Arbitrary<World> = fc.record({
  focus: fc.constantFrom<Cell | undefined>(undefined, undefined, 0, 3),
  nodes: fc.constantFrom(1, 2, 2, 3),
  withL2: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  bus: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.constant(false)),
  ttl: fc.constantFrom(300, 2000),
  grace: fc.constantFrom(0, 1500),
  softTimeout: fc.constantFrom(0, 60),
  hardTimeout: fc.constantFrom(800, 3000),
  completeInBackground: fc.boolean(),
  refreshAhead: fc.constantFrom<number | false>(false, 0.5),
  errorTtl: fc.constantFrom(0, 100),
  l1Ttl: fc.constantFrom(100, 400),
  manyOrigin: fc.boolean(),
  maxLoads: fc.constantFrom(undefined, undefined, undefined, 2),
})

const node = fc.integer({ min: 0, max: 2 })
const cell = fc.constantFrom<Cell>(...CELLS)
const tag = fc.constantFrom<Tag>('t0', 't1', 'dynamic')
const stamping = fc.constantFrom<'hard' | 'soft'>('hard', 'soft')
const reading = fc.constantFrom<ReadKind>(
  'call',
  'detail',
  'detail',
  'detail',
  'signal',
  'refresh',
  'peek',
  'get',
  'getMany',
)
const writing = fc.constantFrom<WriteKind>(
  'set',
  'invalidate',
  'invalidate',
  'silent',
  'set-then-invalidate',
)

const weighted: ReadonlyArray<readonly [number, fc.Arbitrary<Operation>]> = [
  [
    12,
    fc.record({
      type: fc.constant('read' as const),
      node,
      cell,
      how: reading,
    }),
  ],
  [2, fc.record({ type: fc.constant('many' as const), node, settle: fc.boolean() })],
  [
    6,
    fc.record({
      type: fc.constant('write' as const),
      node,
      cell,
      how: writing,
    }),
  ],
  [
    3,
    fc.record({
      type: fc.constant('tag' as const),
      node,
      tag,
      mode: stamping,
    }),
  ],
  [1, fc.record({ type: fc.constant('clear' as const), node })],
  [1, fc.record({ type: fc.constant('abort' as const) })],
  [
    4,
    fc.record({
      type: fc.constant('origin' as const),
      cell,
      behaviour: fc.constantFrom<OriginBehaviour>(
        'ok',
        'slow',
        'held',
        'held',
        'fails',
        'fails-slowly',
        'skips',
        'hangs',
      ),
    }),
  ],
  [3, fc.record({ type: fc.constant('answer' as const) })],
  [
    4,
    fc.record({
      type: fc.constant('advance' as const),
      ms: fc.constantFrom(10, 50, 120, 310, 450, 1000, 2100, 4000),
    }),
  ],
  [
    2,
    fc.record({ type: fc.constant('lag' as const), ms: fc.constantFrom(5, 20, 49, 51, 200, 1200) }),
  ],
  [8, fc.record({ type: fc.constant('step' as const), count: fc.integer({ min: 1, max: 12 }) })],
  [
    1,
    fc.record({
      type: fc.constant('l2' as const),
      node,
      state: fc.constantFrom<L2State>('killed', 'hanging', 'late', 'healthy', 'healthy', 'healthy'),
    }),
  ],
  [0.3, fc.record({ type: fc.constant('lose' as const) })],
]

const anything: fc.Arbitrary<Operation> = fc.oneof(
  ...weighted.map(([weight, arbitrary]) => ({ weight: Math.round(weight * 10), arbitrary })),
)

const interlude: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('step' as const), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ type: fc.constant('advance' as const), ms: fc.constantFrom(1, 10, 120, 450) }),
    fc.record({ type: fc.constant('read' as const), node, cell, how: reading }),
  ),
  { maxLength: 3 },
)

const write: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant('write' as const), node, cell, how: writing }),
  fc.record({ type: fc.constant('tag' as const), node, tag, mode: stamping }),
  fc.record({ type: fc.constant('clear' as const), node }),
  fc.record({
    type: fc.constant('read' as const),
    node,
    cell,
    how: fc.constant('refresh' as const),
  }),
)

/** A load is held, something is written meanwhile, the load ends, and its key is read again. */
const race: fc.Arbitrary<Operation[]> = fc
  .tuple(node, cell, reading, reading, write, fc.array(interlude, { minLength: 5, maxLength: 5 }))
  .map(([loader, place, first, again, written, pauses]) => {
    const read = (how: ReadKind): Operation => ({ type: 'read', node: loader, cell: place, how })
    const aimed = 'cell' in written ? { ...written, cell: place } : written
    return [
      { type: 'origin', cell: place, behaviour: 'held' } as const,
      read(first),
      ...(pauses[0] ?? []),
      aimed,
      ...(pauses[1] ?? []),
      { type: 'answer' } as const,
      ...(pauses[2] ?? []),
      read(again),
      ...(pauses[3] ?? []),
      { type: 'origin', cell: place, behaviour: 'ok' } as const,
      read('detail'),
      ...(pauses[4] ?? []),
    ]
  })

/** Single operations, with races among them: chance alone seldom makes the steps of one meet. */
export const operations: fc.Arbitrary<Operation[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: anything.map((operation) => [operation]) },
      { weight: 1, arbitrary: race },
    ),
    { minLength: 3, maxLength: 35, size: 'max' },
  )
  .map((fragments) => fragments.flat())
