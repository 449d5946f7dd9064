/** One line of the table. */
export interface Row {
  readonly id: string
  readonly title: string
  /** Of the value: `x` is a ratio to the reference of the scene. */
  readonly unit: 'x' | 'bytes' | 'ms' | 'µs' | 'ns'
  /** The value must not be above it. Without one the figure is only reported. */
  readonly target?: number
}

/** What one kind of child process measures. */
export interface SceneEntry {
  readonly name: string
  readonly rows: readonly Row[]
  /** How many processes, each with its own luck in compilation and memory layout. */
  readonly processes: number
  /** At most so many where the error stays large. @default three times as many */
  readonly most?: number
  readonly flags?: readonly string[]
}

const COUNTING = ['--expose-gc']
/** So large a young generation that no round of `allocation` fills it. */
const UNCOLLECTED = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

/** Scenes in the order of the table, which is the order of the promises. */
export const scenes: readonly SceneEntry[] = [
  {
    name: 'hit-string',
    processes: 7,
    rows: [
      { id: 'hit-string', title: 'L1 hit, one string, awaited', unit: 'x', target: 0.9 },
      { id: 'peek', title: 'peek', unit: 'x', target: 0.45 },
    ],
  },
  {
    name: 'hit-object',
    processes: 7,
    rows: [
      { id: 'hit-object', title: 'L1 hit, one object, the same again', unit: 'x', target: 1.15 },
    ],
  },
  {
    name: 'hit-object-rotating',
    processes: 5,
    rows: [{ id: 'hit-object-rotating', title: 'L1 hit, 1,000 objects in turn', unit: 'x' }],
  },
  {
    name: 'hit-rotating',
    processes: 5,
    rows: [{ id: 'hit-rotating', title: 'L1 hit, 1,024 strings in turn', unit: 'x' }],
  },
  {
    name: 'hit-number',
    processes: 5,
    rows: [{ id: 'hit-number', title: 'L1 hit, one number', unit: 'x' }],
  },
  {
    name: 'hit-features',
    processes: 7,
    rows: [
      {
        id: 'hit-features',
        title: 'L1 hit with metrics, tags, grace, refresh-ahead, L2',
        unit: 'x',
        target: 1.05,
      },
    ],
  },
  {
    name: 'allocation',
    processes: 5,
    flags: UNCOLLECTED,
    rows: [
      { id: 'allocation', title: 'allocated by a hit, string', unit: 'bytes', target: 24 },
      { id: 'allocation-object', title: 'allocated by a hit, object', unit: 'bytes' },
    ],
  },
  {
    name: 'memory',
    processes: 2,
    flags: COUNTING,
    rows: [
      { id: 'memory-l1', title: 'kept for an entry, L1 only', unit: 'bytes', target: 96 },
      { id: 'memory-l1-awaited', title: 'the same after an awaited hit', unit: 'bytes' },
      { id: 'memory-full', title: 'kept with L2, tag and promise', unit: 'bytes', target: 200 },
    ],
  },
  {
    name: 'miss',
    processes: 3,
    rows: [
      { id: 'miss', title: 'a miss, the origin answers at once', unit: 'µs' },
      { id: 'miss-coalesced', title: 'each of 100 callers of one miss', unit: 'µs' },
    ],
  },
  {
    name: 'import',
    processes: 1,
    rows: [
      { id: 'import', title: "import of '.' beyond bare node", unit: 'ms', target: 15 },
      { id: 'import-redis', title: "import of './redis' beyond ioredis", unit: 'ms', target: 10 },
    ],
  },
  {
    name: 'sqlite',
    processes: 2,
    rows: [
      { id: 'sqlite-read', title: 'sqlite: a read', unit: 'µs' },
      { id: 'sqlite-read-100', title: 'sqlite: each of 100 reads at once', unit: 'µs' },
      { id: 'sqlite-write', title: 'sqlite: an acknowledged write', unit: 'µs' },
    ],
  },
  {
    name: 'redis-hit',
    processes: 3,
    rows: [
      { id: 'redis-hit-100', title: 'redis: 100 hits of 1 kB at once', unit: 'x', target: 0.5 },
      { id: 'redis-hit', title: 'redis: one hit of 1 kB', unit: 'x', target: 1.35 },
      {
        id: 'redis-compare-100',
        title: 'redis: 100 copies compared at once',
        unit: 'x',
      },
    ],
  },
  {
    name: 'redis-miss',
    processes: 3,
    most: 3,
    rows: [{ id: 'redis-miss', title: 'redis: a miss, the origin answers at once', unit: 'µs' }],
  },
  {
    name: 'redis-outage',
    processes: 3,
    most: 3,
    rows: [
      { id: 'redis-refused-p99', title: 'redis refused: p99 beyond no L2', unit: 'ms', target: 1 },
      { id: 'redis-refused-max', title: 'redis refused: max beyond no L2', unit: 'ms', target: 5 },
      { id: 'redis-frozen-p99', title: 'redis frozen: p99 beyond no L2', unit: 'ms', target: 1 },
      { id: 'redis-frozen-max', title: 'redis frozen: max beyond no L2', unit: 'ms', target: 5 },
    ],
  },
  {
    name: 'redis-propagation',
    processes: 2,
    most: 2,
    rows: [
      { id: 'redis-propagation', title: 'redis: an invalidation elsewhere', unit: 'ms', target: 5 },
    ],
  },
  {
    name: 'keys',
    processes: 2,
    rows: [
      'two strings',
      'three primitives',
      'object of 3',
      'object of 3, seen before',
      'nested object of 12',
      'Date and Map',
    ].map((shape) => ({ id: `key: ${shape}`, title: `key of ${shape}`, unit: 'ns' as const })),
  },
]
