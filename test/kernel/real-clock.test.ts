import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { realClock } from '../../src/kernel/real-clock.ts'
import { runSource } from './run-source.ts'

const ASLEEP = Number.POSITIVE_INFINITY

describe('the real clock', () => {
  let clock: typeof realClock

  beforeEach(async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    })
    // A module of its own for each test: whether it is awake is the module's state.
    vi.resetModules()
    clock = (await import('../../src/kernel/real-clock.ts')).realClock
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('reads Infinity until it is woken', () => {
    expect(clock.coarse.now).toBe(ASLEEP)
    expect(vi.getTimerCount()).toBe(0)
    clock.wake()
    expect(clock.coarse.now).toBe(clock.now())
  })

  it('follows the exact time by 10 ms at most while it is awake', () => {
    clock.wake()
    for (let ms = 0; ms < 900; ms++) {
      vi.advanceTimersByTime(1)
      const lag = clock.now() - clock.coarse.now
      expect(lag).toBeGreaterThanOrEqual(0)
      expect(lag).toBeLessThanOrEqual(10)
    }
  })

  it('falls asleep after a second without being woken, and leaves no timer', () => {
    clock.wake()
    vi.advanceTimersByTime(1000)
    expect(clock.coarse.now).toBe(ASLEEP)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('stays awake as long as it is woken, with one timer', () => {
    for (let i = 0; i < 10; i++) {
      clock.wake()
      expect(vi.getTimerCount()).toBe(1)
      vi.advanceTimersByTime(900)
      expect(clock.coarse.now).not.toBe(ASLEEP)
    }
  })

  it('wakes again after it has slept', () => {
    clock.wake()
    vi.advanceTimersByTime(5000)
    clock.wake()
    expect(clock.coarse.now).toBe(clock.now())
    vi.advanceTimersByTime(100)
    expect(clock.now() - clock.coarse.now).toBeLessThanOrEqual(10)
  })

  it('gives whole milliseconds', () => {
    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(0.37)
      expect(Number.isInteger(clock.now())).toBe(true)
    }
  })

  it('fires a timer once, never before its time, and not after it was cleared', () => {
    const task = vi.fn()
    clock.setTimeout(task, 10.2)
    vi.advanceTimersByTime(10)
    expect(task).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    vi.advanceTimersByTime(100)
    expect(task).toHaveBeenCalledTimes(1)
    clock.clearTimeout(clock.setTimeout(task, 10))
    clock.clearTimeout(undefined)
    vi.advanceTimersByTime(100)
    expect(task).toHaveBeenCalledTimes(1)
  })

  it.each([Number.POSITIVE_INFINITY, 2 ** 31])('takes %d ms for never', (ms) => {
    const task = vi.fn()
    clock.clearTimeout(clock.setTimeout(task, ms))
    clock.setTimeout(task, ms)
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('never keeps the process alive, awake or with an unref’d timer', async () => {
  const { code, stdout, stderr, ms } = await runSource(`
    import { realClock } from 'src/kernel/real-clock.ts'
    realClock.wake()
    realClock.setTimeout(() => console.log('too late'), 60_000, { unref: true })
    console.log(realClock.coarse.now < Infinity)
  `)
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'true\n', stderr: '' })
  expect(ms).toBeLessThan(10_000)
})

it('ticks in a real process: awake it moves, then it falls asleep by itself', async () => {
  const { stdout } = await runSource(`
    import { realClock as clock } from 'src/kernel/real-clock.ts'
    clock.wake()
    const first = clock.coarse.now
    await new Promise((resolve) => setTimeout(resolve, 200))
    console.log(clock.coarse.now > first)
    await new Promise((resolve) => setTimeout(resolve, 1600))
    console.log(clock.coarse.now)
  `)
  expect(stdout).toBe('true\nInfinity\n')
})
