import type { Clock, Timer } from '../contracts/clock.ts'

// The only file that may touch real time and real chance (a lint rule says so): everything else is
// handed them, and can therefore be run in a simulation.

const TICK_MS = 10
/** Awake for a second after each wake-up: a busy cache restarts it once a second, an idle one never. */
const TICKS_AWAKE = 100
/** Node clamps longer timers to 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const coarse = { now: Number.POSITIVE_INFINITY }
let ticksLeft = 0

// Whole milliseconds: V8 keeps small integers inside the object, fractions cost 16 bytes each.
const now = (): number => Math.floor(performance.now())

function tick(ticker: NodeJS.Timeout): void {
  ticksLeft--
  if (ticksLeft > 0) {
    coarse.now = now()
  } else {
    coarse.now = Number.POSITIVE_INFINITY
    clearInterval(ticker)
  }
}

export const realClock: Clock = {
  now,
  wall: () => Date.now(),
  coarse,
  wake() {
    if (ticksLeft <= 0) {
      const ticker: NodeJS.Timeout = setInterval(() => tick(ticker), TICK_MS)
      ticker.unref()
    }
    ticksLeft = TICKS_AWAKE
    coarse.now = now()
  },
  setTimeout(task, ms, options) {
    if (ms > LONGEST_TIMER_MS) {
      // Never, as far as a process is concerned that restarts within 24 days; Infinity comes here too.
      return undefined
    }
    const timer = setTimeout(task, Math.ceil(ms))
    if (options?.unref) timer.unref()
    return timer
  },
  clearTimeout(timer: Timer) {
    clearTimeout(timer as NodeJS.Timeout | undefined)
  },
  immediate(task) {
    setImmediate(task)
  },
}

/** As `realClock`, for those who measure: `now` with all its fractions, at the price of memory. */
export const preciseClock: Clock = { ...realClock, now: () => performance.now() }

/** Uniform in [0, 1). */
export const realRandom = (): number => Math.random()
