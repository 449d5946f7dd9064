import type { Clock } from '../../contracts/clock.ts'
import { type Duration, kindOf, shown, toMs } from '../../kernel/duration.ts'
import {
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import type { Limit } from './limit.ts'
import type { LimiterRedis } from './redis-calls.ts'

export interface LimiterQueueOptions {
  /** Callers that wait at most; 0: nobody waits. @default 1000 */
  max?: number
  /** What a caller waits at most. A wait that is known to be longer is refused at once. @default '30s' */
  maxWait?: Duration
  /** Who goes when the queue is full: the newcomer, the one that waits longest, the least urgent. @default 'reject' */
  overflow?: 'reject' | 'drop-oldest' | 'drop-lowest'
  /** `'fifo'` ignores priorities. @default 'priority' */
  order?: 'priority' | 'fifo'
  /** Waiting that long counts as one priority more, so that nobody starves. @default '1s' */
  ageing?: Duration
}

export interface DistributedOptions {
  /** Your ioredis client (`Redis` or `Cluster`); it stays yours to close. */
  redis: LimiterRedis
  /** How many processes share the limit, where you know it: more than were seen count. @default 1 */
  instances?: number
  /** Without Redis: go on with rate ÷ instances, without a limit, or not at all. @default 'local-share' */
  whenDown?: 'local-share' | 'open' | 'closed'
  /** Of the keys in Redis. @default 'rate-limit:' */
  prefix?: string
}

export interface RateLimiterOptions {
  /**
   * In metrics and messages; with `distributed` it is what the processes share, and required.
   * @default 'default'
   */
  name?: string
  /** By name: `perSecond`, `perMinute`, `concurrency`. A call has to fit all of them. */
  limits: Readonly<Record<string, Limit>>
  queue?: LimiterQueueOptions
  /** Shares the rates with other processes. `concurrency` stays one of this process. */
  distributed?: DistributedOptions
  /** A Retry-After of the provider is believed up to that. @default '5m' */
  maxPause?: Duration
  clock?: Clock
  random?: () => number
}

/** The queue as the limiter uses it. */
export interface QueueSettings {
  readonly max: number
  readonly maxWaitMs: number
  readonly overflow: 'reject' | 'drop-oldest' | 'drop-lowest'
  readonly isByPriority: boolean
  readonly ageingMs: number
}

/** @throws ERR_INVALID_OPTION */
export function checkLimiterOptions(options: unknown): asserts options is RateLimiterOptions {
  const names = ['name', 'limits', 'queue', 'distributed', 'maxPause', 'clock', 'random']
  checkOptionNames(options, names, 'rateLimiter')
  const { name, limits, distributed, random } = options
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw invalidOption(`name of rateLimiter must be text, got ${shown(name)}`)
  }
  checkLimits(limits)
  checkFunction(random, 'random')
  if (distributed !== undefined) checkDistributed(distributed, name)
}

/** @throws ERR_INVALID_OPTION */
export function queueSettings(options: LimiterQueueOptions | undefined): QueueSettings {
  const queue = options ?? {}
  checkOptionNames(queue as unknown, ['max', 'maxWait', 'overflow', 'order', 'ageing'], 'queue')
  const { max = 1000, maxWait = '30s', overflow = 'reject', order = 'priority' } = queue
  if (max !== 0) checkCount(max, 'queue.max')
  checkChoice(overflow, ['reject', 'drop-oldest', 'drop-lowest'], 'queue.overflow')
  checkChoice(order, ['priority', 'fifo'], 'queue.order')
  const ageingMs = toMs(queue.ageing ?? '1s', 'queue.ageing')
  if (ageingMs === 0) throw invalidOption('queue.ageing must be more than 0')
  return {
    max,
    maxWaitMs: toMs(maxWait, 'queue.maxWait'),
    overflow,
    isByPriority: order === 'priority',
    ageingMs,
  }
}

function checkLimits(limits: unknown): void {
  if (typeof limits !== 'object' || limits === null || Object.keys(limits).length === 0) {
    throw invalidOption(
      `limits must name at least one limit, as in { requests: perSecond(10) }; got ${shown(limits)}`,
    )
  }
  for (const [name, limit] of Object.entries(limits)) {
    const kind = (limit as Limit | undefined)?.kind
    if (kind !== 'rate' && kind !== 'concurrency') {
      throw invalidOption(
        `limits.${name} must be made by perSecond, perMinute or concurrency, got ${kindOf(limit)}`,
      )
    }
  }
}

function checkDistributed(distributed: unknown, name: unknown): void {
  const names = ['redis', 'instances', 'whenDown', 'prefix']
  checkOptionNames(distributed, names, 'distributed')
  const { redis, instances, whenDown, prefix } = distributed
  if (name === undefined) {
    throw invalidOption('a distributed rateLimiter needs a name: it is what the processes share')
  }
  const client = redis as Partial<LimiterRedis> | undefined
  if (typeof client?.evalsha !== 'function' || typeof client.eval !== 'function') {
    throw invalidOption(`distributed.redis must be a client of ioredis, got ${kindOf(redis)}`)
  }
  checkCount(instances, 'distributed.instances')
  checkNumber(instances, 'distributed.instances', 1, 1_000_000)
  checkChoice(whenDown, ['local-share', 'open', 'closed'], 'distributed.whenDown')
  if (prefix !== undefined && typeof prefix !== 'string') {
    throw invalidOption(`distributed.prefix must be text, got ${kindOf(prefix)}`)
  }
}
