import { describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/real-clock.ts'
import { circuitBreaker } from '../../../src/policies/breaker/circuit-breaker.ts'
import { resolveBreakerOptions } from '../../../src/policies/breaker/resolve-options.ts'

const share = 'must be a number above 0 and up to 1, got'

describe('a wrong option', () => {
  it.each<[object, string]>([
    [
      { failureRatio: 0.5 },
      "unknown option of circuitBreaker(): 'failureRatio'; did you mean 'failureRate'?",
    ],
    [{ name: '' }, "name must be a text that is not empty, got ''"],
    [{ failureRate: 0 }, `failureRate ${share} 0`],
    [{ failureRate: 50 }, `failureRate ${share} 50`],
    [{ minimumCalls: 0 }, 'minimumCalls must be a whole number ≥ 1, got 0'],
    [{ timeout: 0 }, 'timeout must be longer than 0'],
    [{ timeout: '5 years' }, 'timeout must be a duration: milliseconds ≥ 0 or text such as'],
    [{ openFor: 'soon' }, 'openFor must be a duration'],
    [{ classify: 'failure' }, 'classify must be a function, got text'],
    [{ clock: {} }, 'clock must be a Clock such as FakeClock, got an object'],
    [{ window: {} }, "window.type must be 'time', 'count' or 'consecutive'"],
    [{ window: { type: 'tme' } }, "window.type has no such choice: 'tme'; did you mean 'time'?"],
    [
      { window: { type: 'count', size: 10, duration: '1s' } },
      "unknown option of a window of type 'count': 'duration'; known are type, size",
    ],
    [{ window: { type: 'count' } }, 'window.size is required'],
    [{ window: { type: 'count', size: 1.5 } }, 'window.size must be a whole number ≥ 1, got 1.5'],
    [{ window: { type: 'count', size: 1e9 } }, 'window.size must be a number from 1 to 100000'],
    [{ window: { type: 'time', buckets: 101 } }, 'window.buckets must be a number from 1 to 100'],
    [{ window: { type: 'time', duration: Infinity } }, 'window.duration must have an end'],
    [
      { window: { type: 'count', size: 5 }, minimumCalls: 6 },
      'minimumCalls 6 is more than window.size 5: the breaker would never open',
    ],
    [
      { window: { type: 'consecutive', failures: 5 }, failureRate: 0.5 },
      "failureRate means nothing in a window of type 'consecutive'; leave it out, or take 'count' or 'time'",
    ],
    [
      { window: { type: 'consecutive', failures: 5 }, slowCall: { duration: '1s' } },
      "slowCall means nothing in a window of type 'consecutive'",
    ],
    [{ slowCall: { duration: '1s', rate: 2 } }, `slowCall.rate ${share} 2`],
    [{ slowCall: {} }, 'slowCall.duration must be a duration'],
    [{ halfOpen: { probes: 0 } }, 'halfOpen.probes must be a whole number ≥ 1, got 0'],
    [{ halfOpen: { succesRate: 1 } }, "did you mean 'successRate'?"],
    [{ halfOpen: { waiters: 'queue' } }, "halfOpen.waiters has no such choice: 'queue'"],
    [
      { halfOpen: { probeTimeout: Infinity } },
      'halfOpen.probeTimeout must have an end: a probe that hangs would hold it half-open',
    ],
  ])('%j is refused', (options, message) => {
    const make = () => circuitBreaker(options as never)
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
  })

  it('options that are none are refused', () => {
    expect(() => circuitBreaker('claude' as never)).toThrow(
      'circuitBreaker() takes an options object, got text',
    )
  })
})

describe('a time-out of many days', () => {
  it.each([{ timeout: '30d' }, { halfOpen: { probeTimeout: '30d' } }] as const)(
    'leaves a probe one that the real clock sets: %j',
    (options) => {
      const timer = realClock.setTimeout(() => {}, resolveBreakerOptions(options).probeTimeoutMs, {
        unref: true,
      })
      expect(timer).toBeDefined()
      realClock.clearTimeout(timer)
    },
  )
})
