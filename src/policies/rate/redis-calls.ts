import type { Clock, Timer } from '../../contracts/clock.ts'
import { SLICE_SCRIPT, SLICE_SHA } from './slice-script.ts'

/** What the limiter uses of a client of ioredis, `Redis` or `Cluster`. */
export interface LimiterRedis {
  readonly status?: string
  evalsha(sha: string, keyCount: number, ...rest: (string | number)[]): Promise<unknown>
  eval(script: string, keyCount: number, ...rest: (string | number)[]): Promise<unknown>
}

/** Of the script: numbers, as text where they have fractions. */
type Reply = readonly (string | number)[]

/** Whoever asks waits no longer than that for Redis, whatever the options of the client. */
const CALL_DEADLINE_MS = 50
/** A question that is not answered for so long will not be. */
const FORGOTTEN_MS = 10_000
/** States of a client in which a command would only be kept for later, or refused. */
const AWAY = ['reconnecting', 'close', 'end']

/**
 * Asks Redis one question at a time, each with a deadline of its own. While an answer is owed no other
 * question is put behind it: a client that is cut off would keep them all.
 */
export class RedisCalls {
  made = 0
  failed = 0
  readonly #redis: LimiterRedis
  readonly #clock: Clock
  /** Since when an answer is owed. */
  #owedSince: number | undefined
  #question = 0

  constructor(redis: LimiterRedis, clock: Clock) {
    this.#redis = redis
    this.#clock = clock
  }

  isOwed(now: number): boolean {
    return this.#owedSince !== undefined && now - this.#owedSince < FORGOTTEN_MS
  }

  /**
   * Resolves to the reply, or rejects at the deadline. Whoever asks sees to it that nothing is owed.
   * @param isUrgent whether the process has to live on for it
   * @param late gets a reply that comes after the deadline
   */
  ask(
    keys: readonly string[],
    args: readonly (string | number)[],
    isUrgent: boolean,
    late: (reply: Reply) => void,
  ): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    let isLate = false
    const fail = (error: unknown): void => {
      this.failed++
      reject(error)
    }
    const question = ++this.#question
    const { status } = this.#redis
    this.made++
    if (status !== undefined && AWAY.includes(status)) {
      fail(new Error(`the client is not connected (${status})`))
      return promise
    }
    this.#owedSince = this.#clock.now()
    const timer: Timer = this.#clock.setTimeout(
      () => {
        fail(new Error(`no reply within ${CALL_DEADLINE_MS} ms`))
        isLate = true
      },
      CALL_DEADLINE_MS,
      { unref: !isUrgent },
    )
    const answered = (): void => {
      this.#clock.clearTimeout(timer)
      if (question === this.#question) this.#owedSince = undefined
    }
    this.#send([...keys, ...args]).then(
      (reply) => {
        answered()
        if (!Array.isArray(reply)) fail(new Error('the reply of Redis was not understood'))
        else if (isLate) late(reply)
        else resolve(reply)
      },
      (error: unknown) => {
        answered()
        if (!isLate) fail(error)
      },
    )
    return promise
  }

  async #send(rest: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(SLICE_SHA, 2, ...rest)
    } catch (error) {
      // A server that has restarted, or another one, does not know it yet.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await this.#redis.eval(SLICE_SCRIPT, 2, ...rest)
    }
  }
}
