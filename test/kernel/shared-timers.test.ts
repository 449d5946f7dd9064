import { describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/real-clock.ts'
import { SharedTimers } from '../../src/kernel/shared-timers.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

function timersOf() {
  const clock = new FakeClock()
  const fired: string[] = []
  return {
    clock,
    fired,
    timers: new SharedTimers(clock),
    note: (name: string) => () => fired.push(name),
  }
}

describe('shared timers', () => {
  it('fire at their instants, in the order of their start', async () => {
    const { clock, fired, timers, note } = timersOf()
    timers.start(note('a'), 10, true)
    timers.start(note('b'), 5, true)
    timers.start(note('c'), 10, true)
    timers.start(note('d'), 10, true)
    await clock.advance(9)
    expect(fired).toEqual(['b'])
    await clock.advance(1)
    expect(fired).toEqual(['b', 'a', 'c', 'd'])
  })

  it('are one timer of the clock where they are due together, and none when all are stopped', () => {
    const { clock, timers, note } = timersOf()
    const all = ['a', 'b', 'c'].map((name) => timers.start(note(name), 10, true))
    expect(clock.pending).toBe(1)
    for (const timer of all) timers.stop(timer)
    expect(clock.pending).toBe(0)
  })

  it('do not fire once stopped, and stopping twice takes no other with it', async () => {
    const { clock, fired, timers, note } = timersOf()
    const stopped = timers.start(note('a'), 10, true)
    timers.start(note('b'), 10, true)
    timers.stop(stopped)
    timers.stop(stopped)
    await clock.advance(10)
    expect(fired).toEqual(['b'])
  })

  it('may be stopped, and others started, while those of the same instant fire', async () => {
    const { clock, fired, timers, note } = timersOf()
    timers.start(() => timers.stop(later), 10, true)
    const later = timers.start(note('stopped'), 10, true)
    timers.start(() => timers.start(note('again'), 10, true), 10, true)
    await clock.advance(10)
    await clock.advance(1)
    expect(fired).toEqual(['again'])
  })

  it('hold the process only where somebody waits for them', () => {
    const held: boolean[] = []
    const clock = {
      ...realClock,
      now: () => 0,
      setTimeout: (_: () => void, __: number, options?: { unref?: boolean }) =>
        held.push(options?.unref !== true),
    }
    const timers = new SharedTimers(clock)
    timers.start(() => {}, 10, true)
    timers.start(() => {}, 10, false)
    expect(held).toEqual([true, false])
  })
})
