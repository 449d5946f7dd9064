import type Bottleneck from 'bottleneck'
import type { Clock } from '../../contracts/clock.ts'
import { type Duration, kindOf, toMs } from '../../kernel/duration.ts'
import { checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'

/**
 * The options of bottleneck itself. `rejectOnDrop: false` and `Promise` are not among them: a caller
 * always hears of its job.
 */
export type BottleneckOptions = Pick<
  Bottleneck.ConstructorOptions,
  | 'maxConcurrent'
  | 'minTime'
  | 'highWater'
  | 'strategy'
  | 'penalty'
  | 'reservoir'
  | 'reservoirRefreshAmount'
  | 'reservoirRefreshInterval'
  | 'reservoirIncreaseAmount'
  | 'reservoirIncreaseInterval'
  | 'reservoirIncreaseMaximum'
  | 'id'
  | 'datastore'
  | 'clientOptions'
  | 'clusterNodes'
  | 'connection'
  | 'Redis'
  | 'clearDatastore'
  | 'timeout'
> & {
  /** How often Redis is told of this client and looks at the reservoir, in milliseconds. */
  readonly heartbeatInterval?: number
  readonly clientTimeout?: number
}

/** What {@link bottleneckLimiter} adds to bottleneck. */
export interface BottleneckHardening {
  /** For metrics and messages. @default the `id`, else 'bottleneck' */
  name?: string
  /** How long a job waits for a store that does not answer, before it is limited locally. @default '2s' */
  storeWait?: Duration
  /**
   * What is different in the local limiter that stands in for the store, such as a share of the rate:
   * without it each process goes on with the whole of it.
   */
  local?: Pick<
    BottleneckOptions,
    | 'maxConcurrent'
    | 'minTime'
    | 'reservoir'
    | 'reservoirRefreshAmount'
    | 'reservoirIncreaseAmount'
    | 'reservoirIncreaseMaximum'
  >
  /**
   * After so long the store counts a job that has started as ended, so that a process that died does
   * not hold its places for ever. A job that takes longer runs on. @default '5m'
   */
  forgetAfter?: Duration
  clock?: Clock
}

export interface LimiterSettings {
  readonly name: string
  readonly storeWaitMs: number
  readonly forgetAfterMs: number | undefined
  readonly usesStore: boolean
  /** For the shared limiter. */
  readonly shared: Bottleneck.ConstructorOptions
  /** For the one in this process. */
  readonly local: Bottleneck.ConstructorOptions
  readonly clock: Clock
}

const RATE_NAMES = [
  ...['maxConcurrent', 'minTime', 'reservoir', 'reservoirRefreshAmount'],
  ...['reservoirIncreaseAmount', 'reservoirIncreaseMaximum'],
]
const LOCAL_NAMES = [
  ...RATE_NAMES,
  ...['highWater', 'strategy', 'penalty', 'id'],
  ...['reservoirRefreshInterval', 'reservoirIncreaseInterval'],
]
const STORE_NAMES = [
  ...['datastore', 'clientOptions', 'clusterNodes', 'connection', 'Redis', 'clearDatastore'],
  ...['timeout', 'heartbeatInterval', 'clientTimeout'],
]

/** bottleneck looks at the reservoir of a shared limiter only then: its 5 s turn 2 s of work into 10. */
const RESERVOIR_HEARTBEAT_MS = 250
/** Also how soon waiting jobs go on after lost keys. */
const HEARTBEAT_MS = 1000

/** @throws ERR_INVALID_OPTION that names the option and what it takes. */
export function limiterSettings(
  options: BottleneckOptions,
  hardening: BottleneckHardening,
): LimiterSettings {
  checkOptionNames(options as unknown, [...LOCAL_NAMES, ...STORE_NAMES], 'bottleneckLimiter()')
  const where = 'the second argument of bottleneckLimiter()'
  const names = ['name', 'storeWait', 'local', 'forgetAfter', 'clock']
  checkOptionNames(hardening as unknown, names, where)
  const { storeWait = '2s', local = {}, forgetAfter = '5m', clock = realClock } = hardening
  const name = hardening.name ?? options.id ?? 'bottleneck'
  if (typeof name !== 'string') throw invalidOption(`name must be text, got ${kindOf(name)}`)
  checkOptionNames(local as unknown, RATE_NAMES, 'local')
  const storeWaitMs = toMs(storeWait, 'storeWait')
  if (!(storeWaitMs > 0 && storeWaitMs < Infinity)) {
    throw invalidOption('storeWait must be longer than 0 and finite')
  }
  const forgetAfterMs = toMs(forgetAfter, 'forgetAfter')
  return {
    name,
    storeWaitMs,
    forgetAfterMs: forgetAfterMs === Infinity ? undefined : forgetAfterMs,
    usesStore: usesStore(options),
    shared: { heartbeatInterval: heartbeatMs(options), ...options },
    local: { ...only(options, LOCAL_NAMES), ...local, datastore: 'local' },
    clock,
  }
}

function usesStore({ datastore, connection }: BottleneckOptions): boolean {
  const kinds = [undefined, null, 'local', 'redis', 'ioredis']
  if (!kinds.includes(datastore)) {
    throw invalidOption(`datastore must be one of local, redis, ioredis; got ${kindOf(datastore)}`)
  }
  return datastore === 'redis' || datastore === 'ioredis' || (connection ?? null) !== null
}

function heartbeatMs(options: BottleneckOptions): number {
  const intervals = [options.reservoirRefreshInterval, options.reservoirIncreaseInterval]
  const hasReservoir = intervals.some((interval) => (interval ?? null) !== null)
  return hasReservoir ? RESERVOIR_HEARTBEAT_MS : HEARTBEAT_MS
}

function only(options: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)))
}
