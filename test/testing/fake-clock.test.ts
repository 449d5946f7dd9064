import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../src/testing/fake-clock.ts'

describe('FakeClock', () => {
  it('stands still until it is moved, on every reading', async () => {
    const clock = new FakeClock(500)
    expect([clock.now(), clock.wall(), clock.coarse.now]).toEqual([500, 500, 500])
    await clock.advance('1.5s')
    expect([clock.now(), clock.wall(), clock.coarse.now]).toEqual([2000, 2000, 2000])
  })

  it('fires what is due by its instant, then by its age, each at its own instant', async () => {
    const clock = new FakeClock()
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name} at ${clock.now()}`)
    clock.setTimeout(note('late'), 30)
    clock.setTimeout(note('first of two'), 20)
    clock.setTimeout(note('second of two'), 20)
    clock.setTimeout(note('early'), 10)
    clock.setTimeout(note('not yet'), 31)
    await clock.advance(30)
    expect(fired).toEqual([
      'early at 10',
      'first of two at 20',
      'second of two at 20',
      'late at 30',
    ])
    expect(clock.pending).toBe(1)
  })

  it('fires timers that were set on the way, if they fall due on the way', async () => {
    const clock = new FakeClock()
    const fired: number[] = []
    const again = () => {
      fired.push(clock.now())
      clock.setTimeout(again, 40)
    }
    clock.setTimeout(again, 40)
    await clock.advance(130)
    expect(fired).toEqual([40, 80, 120])
    expect(clock.now()).toBe(130)
  })

  it('lets promises settle before, between and after', async () => {
    const clock = new FakeClock()
    const seen: string[] = []
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms))
    const work = async () => {
      await Promise.resolve()
      seen.push(`begun at ${clock.now()}`)
      await sleep(10)
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(`half at ${clock.now()}`)
      await sleep(10)
      seen.push(`done at ${clock.now()}`)
    }
    void work()
    await clock.advance(20)
    expect(seen).toEqual(['begun at 0', 'half at 10', 'done at 20'])
  })

  it('does not fire a timer that was cleared, even by a timer of the same instant', async () => {
    const clock = new FakeClock()
    const fired: string[] = []
    const cleared = clock.setTimeout(() => fired.push('cleared'), 10)
    clock.clearTimeout(cleared)
    clock.setTimeout(() => clock.clearTimeout(victim), 20)
    const victim = clock.setTimeout(() => fired.push('victim'), 20)
    clock.clearTimeout(undefined)
    await clock.advance(20)
    expect(fired).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('fires a timer of 0 ms, or of less, without being moved', async () => {
    const clock = new FakeClock(7)
    const fired: number[] = []
    clock.setTimeout(() => fired.push(clock.now()), 0)
    clock.setTimeout(() => fired.push(clock.now()), -5)
    await clock.advance(0)
    expect(fired).toEqual([7, 7])
  })

  it('never goes back, even when it is moved twice at once', async () => {
    const clock = new FakeClock()
    await Promise.all([clock.advance(100), clock.advance(50)])
    expect(clock.now()).toBe(100)
  })

  it('refuses to be moved back', async () => {
    await expect(new FakeClock().advance(-1)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })
})
