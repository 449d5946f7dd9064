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
    name: 'breaker',
    processes: 3,
    rows: [
      { id: 'breaker-closed', title: 'breaker closed, of opossum', unit: 'x', target: 1.2 },
      { id: 'breaker-timeout', title: 'the same, both with a time-out', unit: 'x', target: 2 },
      {
        id: 'breaker-open',
        title: 'breaker open: a rejection, of opossum',
        unit: 'x',
        target: 0.25,
      },
      { id: 'breaker-refusal', title: 'the same by admit()', unit: 'ns', target: 1000 },
      {
        id: 'breaker-failures',
        title: 'failing calls: 50,000 calls in the window, of 1,000',
        unit: 'x',
        target: 1.5,
      },
    ],
  },
  {
    name: 'guard',
    processes: 3,
    rows: [
      {
        id: 'guard',
        title: 'guard with retry, breaker, time-out, of cockatiel',
        unit: 'x',
        target: 0.4,
      },
      { id: 'guard-wrapped', title: 'the same as a wrapped function', unit: 'x', target: 0.4 },
      { id: 'guard-full', title: 'guard with all its stages, of cockatiel with three', unit: 'x' },
      { id: 'guard-empty', title: 'guard without stages beyond a bare call', unit: 'ns' },
      { id: 'guard-rejected', title: 'guard with its breaker open, of cockatiel', unit: 'x' },
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
    name: 'rate-limiter',
    processes: 3,
    rows: [
      {
        id: 'rate-limiter-bottleneck',
        title: 'rate limiter, no wait, of bottleneck',
        unit: 'x',
        target: 0.01,
      },
      {
        id: 'rate-limiter-flexible',
        title: 'the same, of a decision of rate-limiter-flexible',
        unit: 'x',
        target: 1,
      },
      { id: 'rate-limiter-several', title: 'the same with three dimensions', unit: 'x' },
      { id: 'rate-limiter-try', title: 'the same by tryAcquire', unit: 'x' },
      {
        id: 'rate-limiter-delay',
        title: 'event-loop delay p99 with 1,000 callers waiting, beyond idle',
        unit: 'ms',
        target: 5,
      },
    ],
  },
  {
    name: 'background',
    processes: 3,
    most: 3,
    rows: [
      {
        id: 'background-response',
        title: 'response p50 with 100 ms of work in the background, beyond none',
        unit: 'ms',
        target: 1,
      },
      { id: 'background-run', title: 'a background task, beside p-limit', unit: 'x' },
    ],
  },
  {
    name: 'http-pool',
    processes: 2,
    most: 2,
    rows: [
      {
        id: 'http-pool',
        title: 'TLS handshakes of 200 calls, by the size of the pool',
        unit: 'x',
        target: 1,
      },
      { id: 'http-pool-h2', title: 'the same where HTTP/2 is offered', unit: 'x', target: 1 },
    ],
  },
  {
    name: 'cold-start',
    processes: 1,
    rows: [
      {
        id: 'cold-start',
        title: 'cold start with a heavy module behind lazy()',
        unit: 'x',
        target: 0.75,
      },
    ],
  },
  {
    name: 'parallel',
    processes: 5,
    rows: [
      { id: 'parallel-map', title: "parallel.map, to p-limit's map", unit: 'x', target: 1.2 },
      { id: 'parallel-map-floor', title: 'ten bare loops, to the same', unit: 'x' },
      { id: 'parallel-object', title: 'parallel of three tasks', unit: 'µs' },
    ],
  },
  {
    name: 'parallel-wait',
    processes: 1,
    rows: [
      { id: 'parallel-three', title: 'parallel: three calls of 2 s', unit: 'ms', target: 2100 },
      { id: 'parallel-fails', title: 'parallel: one fails at 0.1 s', unit: 'ms', target: 120 },
    ],
  },
  {
    name: 'bulkhead',
    processes: 5,
    rows: [
      { id: 'bulkhead', title: "bulkhead with room, to cockatiel's", unit: 'x' },
      { id: 'bulkhead-full', title: "bulkhead that is full, to cockatiel's", unit: 'x' },
    ],
  },
  {
    name: 'loader',
    processes: 3,
    rows: [
      { id: 'loader-batch', title: 'loader: a request of 100 keys', unit: 'x', target: 1.05 },
      { id: 'loader-hit', title: 'loader: a hit, awaited', unit: 'x', target: 0.2 },
      { id: 'loader-drop-in', title: 'DataLoader: 100 keys, a new one each', unit: 'x' },
      { id: 'loader-single', title: 'loader: one key, no memo', unit: 'x' },
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
