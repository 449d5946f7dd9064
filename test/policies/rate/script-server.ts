import type { FakeClock } from '../../../src/testing/fake-clock.ts'

/**
 * What the script of the limiter does, on a fake clock, for several clients. That the script itself does
 * the same is shown on a real server, in test/redis/limiter.
 */
export class ScriptServer {
  /** What becomes of commands. */
  mode: 'up' | 'hang' | 'fail' = 'up'
  latencyMs = 1
  calls = 0
  readonly buckets = new Map<string, number>()
  readonly members = new Map<string, number>()
  readonly #clock: FakeClock
  #pauseUntil = 0
  #knowsScript = false
  readonly #held: (() => void)[] = []

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Answers what it was asked while it hung, too. */
  resume(): void {
    this.mode = 'up'
    for (const answer of this.#held.splice(0)) answer()
  }

  flush(): void {
    this.buckets.clear()
    this.members.clear()
    this.#pauseUntil = 0
    this.#knowsScript = false
  }

  client(status = 'ready') {
    const answer = (args: (string | number)[]) => this.#answer(args)
    return {
      status,
      evalsha: async (_sha: string, _keys: number, ...args: (string | number)[]) => {
        if (!this.#knowsScript && this.mode === 'up') throw new Error('NOSCRIPT No matching script')
        return answer(args)
      },
      eval: async (_script: string, _keys: number, ...args: (string | number)[]) => {
        this.#knowsScript = true
        return answer(args)
      },
    }
  }

  #answer(args: (string | number)[]): Promise<unknown> {
    this.calls++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const answer = () => this.#clock.setTimeout(() => resolve(this.#run(args)), this.latencyMs)
    if (this.mode === 'fail') reject(new Error('LOADING Redis is loading the dataset in memory'))
    else if (this.mode === 'hang') this.#held.push(answer)
    else answer()
    return promise
  }

  #run([, , member, memberMs, pauseMs, ...rates]: (string | number)[]): string[] {
    const now = this.#clock.now()
    this.members.set(String(member), now + Number(memberMs))
    for (const [id, until] of this.members) if (until <= now) this.members.delete(id)
    if (Number(pauseMs) > 0) this.#pauseUntil = Math.max(this.#pauseUntil, now + Number(pauseMs))
    let ready = 0
    const reply: number[] = []
    for (let at = 0; at < rates.length; at += 8) {
      const name = String(rates[at])
      const [ms = 0, burst = 0, charge = 0, least = 0, most = 0, known = 0, emptied = 0] = rates
        .slice(at + 1, at + 8)
        .map(Number)
      const stored = this.buckets.get(name) ?? now + (burst - known) * ms
      let full = Math.max(Math.min(stored, now + 2 * burst * ms + 60_000), now)
      full = Math.max(full + charge * ms, now + emptied)
      const slice = Math.max(least, Math.min(most, burst - (full - now) / ms))
      full += slice * ms
      if (slice > 0) ready = Math.max(ready, full - burst * ms - now)
      this.buckets.set(name, full)
      reply.push(slice, Math.max(0, full - now))
    }
    const pause = Math.max(0, this.#pauseUntil - now)
    return [this.members.size, pause, ready, ...reply].map(String)
  }
}
