import {
  ACQUIRE_NOW,
  type Permit,
  type PermitSource,
  type Refusal,
} from '../../contracts/permit.ts'
import { asRunner, type Cost, type RunOptions } from '../../contracts/runner.ts'
import { toMs } from '../../kernel/duration.ts'
import { Events } from '../../kernel/events.ts'
import { realClock, realRandom } from '../../kernel/real-clock.ts'
import { CostPlan } from './cost-plan.ts'
import { LimiterEngine } from './limiter-engine.ts'
import type { RateLimiterEvents } from './limiter-events.ts'
import { checkLimiterOptions, queueSettings, type RateLimiterOptions } from './limiter-options.ts'
import { type HeadersLike, readProviderHeaders } from './provider-headers.ts'
import { SharedBudget, type SharedStats } from './shared-budget.ts'
import { TokenBuckets } from './token-buckets.ts'

/** Of a limiter, beside that it can be called. */
type Members = { [N in keyof RateLimiter]: RateLimiter[N] }

/** Integers, to be read when a metrics exporter asks. */
export interface RateLimiterStats {
  /** Permits given. */
  readonly acquired: number
  /** Calls that had to wait at first. */
  readonly waited: number
  /** Calls refused, those of `tryAcquire` too. */
  readonly rejected: number
  /** Waits ended by their signal. */
  readonly aborted: number
  /** Callers that wait now. */
  readonly waiting: number
  /** Tasks under way, those given to the limiter itself. */
  readonly running: number
  /** How much longer a Retry-After holds everybody back, in milliseconds. */
  readonly pausedMs: number
  /** What is left of each limit; of a distributed one as this process knows it. */
  readonly available: Readonly<Record<string, number>>
  /** Of a distributed limiter. */
  readonly shared?: SharedStats
}

/**
 * A limiter: a Runner, `limiter(task, options)`, that holds what the task takes while it runs; and the
 * manual form, by permits.
 */
export interface RateLimiter extends PermitSource {
  <T>(task: (signal: AbortSignal) => PromiseLike<T> | T, options?: RunOptions): Promise<T>
  /** For metrics. */
  readonly name: string
  /**
   * A permit, or when to try again. Never waits, and does not overtake those who do.
   * @throws ERR_INVALID_OPTION for a cost that could never fit; ERR_CLOSED
   */
  tryAcquire(cost?: Cost): Permit | Refusal
  /**
   * A permit, as soon as all limits have room for it.
   *
   * Rejects with ERR_RATE_LIMITED (`retryAfterMs`): at once when the wait is known to exceed
   * `deadline` or `queue.maxWait`, or the queue is full; with ERR_ABORTED when `signal` aborts, with
   * ERR_INVALID_OPTION for a cost that could never fit, with ERR_CLOSED.
   */
  acquire(cost?: Cost, options?: RunOptions): Promise<Permit>
  /**
   * Tells the limiter of a response: Retry-After (with 429, 503, 529) pauses all of it, rate limit
   * headers lower what is left. Give it every response.
   */
  observe(response: { readonly status?: number; readonly headers?: HeadersLike }): void
  /** Resolves when nobody waits, no task runs and nothing is held in flight. */
  drain(): Promise<void>
  /** Those who wait are rejected with ERR_CLOSED, and so is whoever comes; tasks under way go on. */
  close(): void
  stats(): RateLimiterStats
  /** @returns a function that stops listening. */
  on<N extends keyof RateLimiterEvents>(
    event: N,
    listener: (event: RateLimiterEvents[N]) => unknown,
  ): () => void
}

/**
 * A limiter of calls: so many per second or minute, so many tokens, so many at the same time, all at
 * once or any of them. Decisions are made in the process and take less than a microsecond; with
 * `distributed` the processes share the rates through Redis, from which each takes a slice at a time.
 *
 * ```ts
 * const claude = rateLimiter({
 *   limits: { requests: perMinute(1000), input: perMinute(80_000), inFlight: concurrency(20) },
 * })
 * using permit = await claude.acquire({ input: 1200 }, { signal })
 * ```
 *
 * Never lets through more than rate × time + burst in any stretch of time (generic cell rate
 * algorithm, ITU-T I.371).
 * @throws ERR_INVALID_OPTION
 */
export function rateLimiter(options: RateLimiterOptions): RateLimiter {
  checkLimiterOptions(options)
  const { name = 'default', limits, distributed, clock = realClock, random = realRandom } = options
  const plan = new CostPlan(limits)
  const events = new Events<RateLimiterEvents>()
  let shared: SharedBudget | undefined
  const engine = new LimiterEngine(
    {
      name,
      plan,
      events,
      clock,
      queue: queueSettings(options.queue),
      maxPauseMs: toMs(options.maxPause ?? '5m', 'maxPause'),
    },
    (limiter) => {
      if (distributed === undefined) return new TokenBuckets(plan.rates)
      shared = new SharedBudget(
        { name, plan, clock, random, events, ...distributed },
        {
          demand: () => limiter.demand,
          wake: (now) => limiter.serve(now),
          pause: (now, ms) => limiter.pause(now, ms, 'shared'),
        },
      )
      return shared
    },
  )
  const members: Members = {
    name,
    tryAcquire: (cost) => engine.tryAcquire(cost),
    [ACQUIRE_NOW]: (cost) => engine.acquireNow(cost),
    acquire: (cost, settings) => engine.acquire(cost, settings),
    observe({ status, headers = {} }) {
      const rates = plan.names.slice(0, plan.rates.length)
      const news = readProviderHeaders(status, headers, rates, plan.primary, clock.wall())
      const now = clock.now()
      engine.lower(now, news.remaining)
      if (news.pauseMs > 0) engine.pause(now, news.pauseMs, 'headers')
    },
    drain: () => engine.drain(),
    close: () => engine.close(),
    stats: () => ({ ...engine.counts, ...engine.state, ...(shared && { shared: shared.stats }) }),
    on: (event, listener) => events.on(event, listener),
  }
  return asRunner((task, settings) => engine.run(task, settings), members) as RateLimiter
}
