import type { Clock } from '../../contracts/clock.ts'
import { shown, toMs } from '../../kernel/duration.ts'
import {
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import { realClock, realRandom } from '../../kernel/real-clock.ts'
import type { BreakerWindow, CircuitBreakerOptions, HalfOpenOptions } from './breaker-options.ts'
import { openTime } from './open-time.ts'
import type { CallOutcome, Verdict } from './verdict.ts'

const OF_BREAKER = [
  'name',
  'window',
  'failureRate',
  'slowCall',
  'minimumCalls',
  'openFor',
  'halfOpen',
  'timeout',
  'classify',
  'state',
  'clock',
  'random',
]
const OF_REGISTRY = [...OF_BREAKER.filter((name) => name !== 'state'), 'max']
const OF_HALF_OPEN = ['probes', 'successRate', 'probeTimeout', 'waiters']
const OF_WINDOW = {
  time: ['type', 'duration', 'buckets'],
  count: ['type', 'size'],
  consecutive: ['type', 'failures'],
}

const DEFAULT_WINDOW_MS = 10_000
const DEFAULT_PROBE_MS = 10_000
/** The real clock sets no longer timer, and a probe must have one. */
const LONGEST_PROBE_MS = 2 ** 31 - 1
const MOST_BUCKETS = 100
const LARGEST_WINDOW = 100_000
const LEAST_SHARE = 1e-6

export type WindowSettings =
  | { readonly type: 'time'; readonly durationMs: number; readonly buckets: number }
  | { readonly type: 'count'; readonly size: number }
  | { readonly type: 'consecutive' }

/** Options of a breaker with all defaults filled in. */
export interface BreakerSettings {
  readonly name: string
  readonly window: WindowSettings
  readonly failureRate: number
  /** `Infinity`: no call is slow. */
  readonly slowMs: number
  readonly slowRate: number
  readonly minimumCalls: number
  readonly openTime: (openings: number, cause: unknown) => number
  readonly probes: number
  /** So many of the probes. */
  readonly successesNeeded: number
  readonly probeTimeoutMs: number
  readonly waits: boolean
  /** `Infinity`: none. */
  readonly timeoutMs: number
  readonly classify: ((outcome: CallOutcome) => Verdict | undefined) | undefined
  readonly clock: Clock
}

export function resolveBreakerOptions(given: unknown): BreakerSettings {
  checkOptionNames(given, OF_BREAKER, 'circuitBreaker()')
  return resolved(given as CircuitBreakerOptions)
}

export function resolveRegistryOptions(given: unknown): BreakerSettings & { max: number } {
  checkOptionNames(given, OF_REGISTRY, 'circuitBreakers()')
  const { max = 1000, ...options } = given as CircuitBreakerOptions & { max?: number }
  checkCount(max, 'max')
  return { ...resolved(options), max }
}

function resolved(options: CircuitBreakerOptions): BreakerSettings {
  const { name = 'default', classify, timeout, clock = realClock, random = realRandom } = options
  if (typeof name !== 'string' || name === '') {
    throw invalidOption(`name must be a text that is not empty, got ${shown(name)}`)
  }
  if (typeof clock?.now !== 'function' || typeof clock.setTimeout !== 'function') {
    throw invalidOption(`clock must be a Clock such as FakeClock, got ${shown(clock)}`)
  }
  checkFunction(classify, 'classify')
  checkFunction(random, 'random')
  if (typeof options.openFor !== 'function' && options.openFor !== undefined) {
    toMs(options.openFor, 'openFor')
  }
  const timeoutMs = timeout === undefined ? Infinity : positiveMs(timeout, 'timeout')
  return {
    name,
    ...judging(options),
    openTime: openTime(options.openFor, { clock, random }),
    ...halfOpen(options.halfOpen ?? {}, timeoutMs),
    timeoutMs,
    classify,
    clock,
  }
}

/** When it opens. */
function judging(options: CircuitBreakerOptions) {
  const { window = { type: 'time' }, failureRate, minimumCalls, slowCall } = options
  checkShare(failureRate, 'failureRate')
  checkCount(minimumCalls, 'minimumCalls')
  const settings = windowSettings(window)
  if (window.type === 'consecutive') {
    for (const [option, value] of Object.entries({ failureRate, minimumCalls, slowCall })) {
      if (value === undefined) continue
      throw invalidOption(
        `${option} means nothing in a window of type 'consecutive'; leave it out, or take 'count' or 'time'`,
      )
    }
    const { failures } = window
    return { window: settings, failureRate: 1, minimumCalls: failures, ...slowness(undefined) }
  }
  return {
    window: settings,
    failureRate: failureRate ?? 0.5,
    minimumCalls: leastCalls(minimumCalls, window),
    ...slowness(slowCall),
  }
}

function windowSettings(window: BreakerWindow): WindowSettings {
  checkOptionNames(window, ['type', 'duration', 'buckets', 'size', 'failures'], 'window')
  if (window.type === undefined)
    throw invalidOption("window.type must be 'time', 'count' or 'consecutive'")
  checkChoice(window.type, Object.keys(OF_WINDOW), 'window.type')
  checkOptionNames(window, OF_WINDOW[window.type], `a window of type '${window.type}'`)
  switch (window.type) {
    case 'time': {
      const { duration = DEFAULT_WINDOW_MS, buckets = 10 } = window
      checkWhole(buckets, 'window.buckets', MOST_BUCKETS)
      const durationMs = positiveMs(duration, 'window.duration')
      if (durationMs === Infinity) throw invalidOption('window.duration must have an end')
      return { type: 'time', durationMs, buckets }
    }
    case 'count':
      checkWhole(window.size, 'window.size', LARGEST_WINDOW)
      return { type: 'count', size: window.size }
    case 'consecutive':
      checkWhole(window.failures, 'window.failures', LARGEST_WINDOW)
      return { type: 'consecutive' }
  }
}

function leastCalls(minimumCalls: number | undefined, window: BreakerWindow): number {
  if (window.type !== 'count') return minimumCalls ?? 10
  if (minimumCalls !== undefined && minimumCalls > window.size) {
    throw invalidOption(
      `minimumCalls ${minimumCalls} is more than window.size ${window.size}: the breaker would never open`,
    )
  }
  return minimumCalls ?? Math.min(10, window.size)
}

function slowness(slowCall: CircuitBreakerOptions['slowCall']) {
  if (slowCall === undefined) return { slowMs: Infinity, slowRate: 1 }
  checkOptionNames(slowCall, ['duration', 'rate'], 'slowCall')
  checkShare(slowCall.rate, 'slowCall.rate')
  const slowMs = positiveMs(slowCall.duration, 'slowCall.duration')
  return { slowMs, slowRate: slowCall.rate ?? 0.5 }
}

function halfOpen(given: HalfOpenOptions, timeoutMs: number) {
  checkOptionNames(given, OF_HALF_OPEN, 'halfOpen')
  const options: HalfOpenOptions = given
  const { probes = 1, successRate = 1, probeTimeout, waiters = 'reject' } = options
  checkWhole(probes, 'halfOpen.probes', LARGEST_WINDOW)
  checkShare(successRate, 'halfOpen.successRate')
  checkChoice(waiters, ['reject', 'wait'], 'halfOpen.waiters')
  const byDefault = timeoutMs === Infinity ? DEFAULT_PROBE_MS : timeoutMs
  const probeTimeoutMs = positiveMs(probeTimeout ?? byDefault, 'halfOpen.probeTimeout')
  if (probeTimeoutMs === Infinity) {
    throw invalidOption(
      'halfOpen.probeTimeout must have an end: a probe that hangs would hold it half-open',
    )
  }
  return {
    probes,
    // 0.7 × 10 is a little more than 7 in binary.
    successesNeeded: Math.max(1, Math.ceil(probes * successRate - 1e-9)),
    probeTimeoutMs: Math.min(probeTimeoutMs, LONGEST_PROBE_MS),
    waits: waiters === 'wait',
  }
}

function checkShare(value: unknown, option: string): void {
  if (value !== undefined && !(typeof value === 'number' && value >= LEAST_SHARE && value <= 1)) {
    throw invalidOption(`${option} must be a number above 0 and up to 1, got ${shown(value)}`)
  }
}

function checkWhole(value: unknown, option: string, most: number): void {
  if (value === undefined) throw invalidOption(`${option} is required`)
  checkCount(value, option)
  checkNumber(value, option, 1, most)
}

function positiveMs(value: unknown, option: string): number {
  const ms = toMs(value, option)
  if (ms === 0) throw invalidOption(`${option} must be longer than 0`)
  return ms
}
