import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { perSecond } from '../../../src/policies/rate/limit.ts'
import type { DistributedOptions } from '../../../src/policies/rate/limiter-options.ts'
import { type RateLimiter, rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'

/** Several limiters of one name, each with a client of its own, and more callers than they let through. */
export class Crowd implements AsyncDisposable {
  readonly limiters: RateLimiter[] = []
  readonly times: number[] = []
  readonly waits: number[] = []
  readonly errors: unknown[] = []
  /** For how long this process did nothing at all, at most: others use the machine too. */
  longestStallMs = 0
  readonly #clients: Redis[] = []
  readonly #callers: Promise<void>[] = []
  #isOver = false
  #lastTick = performance.now()
  readonly #ticker = setInterval(() => this.#tick(), 5)

  constructor(
    port: number,
    count: number,
    limit: { rate: number; burst?: number },
    distributed: Partial<DistributedOptions> = {},
  ) {
    for (let i = 0; i < count; i++) {
      // The worst of options: commands are kept for ever while it is cut off.
      const redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null })
      redis.on('error', () => {})
      this.#clients.push(redis)
      const { rate, burst = rate } = limit
      this.limiters.push(
        rateLimiter({
          name: 'crowd',
          limits: { requests: perSecond(rate, { burst }) },
          distributed: { redis, instances: count, ...distributed },
        }),
      )
    }
  }

  start(callers: number): void {
    for (const limiter of this.limiters) {
      for (let i = 0; i < callers; i++) this.#callers.push(this.#call(limiter))
    }
  }

  /** How many were let through in the time since then. */
  since(instant: number): number {
    return this.times.filter((at) => at > instant).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    clearInterval(this.#ticker)
    await Promise.all(this.#callers)
    for (const limiter of this.limiters) limiter.close()
    await sleep(20)
    for (const client of this.#clients) client.disconnect()
  }

  #tick(): void {
    const now = performance.now()
    this.longestStallMs = Math.max(this.longestStallMs, now - this.#lastTick)
    this.#lastTick = now
  }

  async #call(limiter: RateLimiter): Promise<void> {
    while (!this.#isOver) {
      const start = performance.now()
      try {
        const permit = await limiter.acquire()
        this.times.push(performance.now())
        permit.release()
      } catch (error) {
        this.errors.push(error)
        await sleep(20)
      }
      this.waits.push(performance.now() - start)
    }
  }
}
