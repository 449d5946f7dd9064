import { describe, expect, it } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { codeOf, Origin, settle, watch } from './fixture.ts'

/** Knows which of its timers would keep the process alive. */
class HoldingClock extends FakeClock {
  readonly #held = new Set<unknown>()

  get holding(): number {
    return this.#held.size
  }

  override setTimeout(task: () => void, ms: number, options?: { unref?: boolean }): unknown {
    const timer = super.setTimeout(() => {
      this.#held.delete(timer)
      task()
    }, ms)
    if (!options?.unref) this.#held.add(timer)
    return timer
  }

  override clearTimeout(timer: unknown): void {
    this.#held.delete(timer)
    super.clearTimeout(timer)
  }
}

describe('the life of the process', () => {
  it('does not depend on a refresh that waits for another process', async () => {
    const { clock, theirs, ours } = await refreshingElsewhere()
    expect(await ours('k')).toBe('old')
    await settle()
    expect(clock.pending).toBeGreaterThan(0)
    expect(clock.holding).toBe(0)
    await theirs.answer('new')
    await clock.advance('1s')
    expect(await ours('k')).toBe('new')
  })

  it('depends on it as soon as somebody waits', async () => {
    const { clock, theirs, ours } = await refreshingElsewhere()
    await ours('k')
    await settle()
    const waiting = watch(ours.with({ maxAge: 0 })('k'))
    await settle()
    // hardTimeout, and the next look at L2.
    expect(clock.holding).toBe(2)
    await theirs.answer('new')
    await clock.advance('1s')
    expect(waiting.state).toBe('fulfilled')
    expect(clock.holding).toBe(0)
  })

  it('leaves no timer of a wait for another process that was given up', async () => {
    const { clock, other } = await loadingElsewhere()
    const controller = new AbortController()
    const code = codeOf(other.with({ signal: controller.signal })('k'))
    await settle()
    const before = clock.pending
    controller.abort()
    expect(await code).toBe('ERR_ABORTED')
    await settle()
    expect(before - clock.pending).toBe(2)
    expect(clock.holding).toBe(1)
  })

  async function refreshingElsewhere() {
    const clock = new HoldingClock(1_000_000)
    const l2 = memory()
    const theirs = new Origin(() => 'old')
    const make = (chance: number) =>
      createCache({
        name: 'app',
        clock,
        l2,
        random: () => chance,
        jitter: 0,
        refreshAhead: false,
        ttl: '10s',
        grace: '1h',
        // Neither finds out from L2 in between.
        l1: { ttl: '60s' },
      })
    const first = make(0.5).cached(theirs.load, { name: 'f' })
    const ours = make(0.6).cached(new Origin().load, { name: 'f' })
    await first('k')
    await settle()
    await ours('k')
    await clock.advance('11s')
    theirs.hold()
    await first('k')
    await settle()
    return { clock, theirs, ours }
  }

  async function loadingElsewhere() {
    const clock = new HoldingClock(1_000_000)
    const l2 = memory()
    const make = (chance: number) =>
      createCache({ name: 'app', clock, l2, random: () => chance, ttl: '10s' })
    const first = make(0.5).cached(new Origin().load, { name: 'f' })
    watch(first('k'))
    await settle()
    return { clock, other: make(0.6).cached(new Origin().load, { name: 'f' }) }
  }
})
