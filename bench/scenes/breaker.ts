import * as cockatiel from 'cockatiel'
import Opossum from 'opossum'
import { ratios, type Timings, timeInRounds } from '../harness/rounds.ts'
import type { Measured, Scene, SceneContext } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'

const FEW = 1_000
const MANY = 50_000
/** Failing calls that are timed; of raw opossum, which takes milliseconds for each, fewer. */
const FAILURES = 200
const FAILURES_OF_OPOSSUM = 5
const HOUR_MS = 3_600_000

const well = async (): Promise<number> => 7
const refused = new Error('refused')
const failing = async (): Promise<never> => {
  throw refused
}

/** Everything of it switched off that can be. */
const OFF = { timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false } as const

/**
 * A call through a breaker that is closed, without and with a time-out; one that an open breaker
 * rejects; and one that fails, by how many calls the window holds.
 */
export const scene: Scene = async (context) => {
  // Then its first breaker does not have to wait for it.
  await import('opossum')
  return [...(await closed(context)), ...(await open(context)), await failures(context)]
}

async function closed({ library, settings }: SceneContext): Promise<Measured[]> {
  const breaker = library.circuitBreaker()
  const timed = library.circuitBreaker({ timeout: '10s' })
  const raw = new Opossum(well, OFF)
  const rawTimed = new Opossum(well, { ...OFF, timeout: 10_000 })
  const rival = cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: 10_000,
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  })
  const timings = await timeInRounds(
    [
      {
        name: 'opossum',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await raw.fire()
          return last
        },
      },
      {
        name: 'ours',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await breaker(well)
          return last
        },
      },
      {
        name: 'cockatiel',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await rival.execute(well)
          return last
        },
      },
      {
        name: 'opossumTimed',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await rawTimed.fire()
          return last
        },
      },
      {
        name: 'oursTimed',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await timed(well)
          return last
        },
      },
      {
        name: 'bare',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await well()
          return last
        },
      },
    ],
    settings,
  )
  raw.shutdown()
  rawTimed.shutdown()
  return [
    {
      id: 'breaker-closed',
      samples: ratios(timings, 'ours', 'opossum'),
      parts: nanoseconds(timings, ['ours', 'opossum', 'cockatiel', 'bare']),
    },
    {
      id: 'breaker-timeout',
      samples: ratios(timings, 'oursTimed', 'opossumTimed'),
      parts: nanoseconds(timings, ['oursTimed', 'opossumTimed']),
    },
  ]
}

async function open({ library, settings }: SceneContext): Promise<Measured[]> {
  const breaker = library.circuitBreaker({
    window: { type: 'consecutive', failures: 1 },
    openFor: '1h',
  })
  await breaker(failing).catch(() => {})
  const raw = new Opossum(failing, { ...OFF, resetTimeout: HOUR_MS })
  raw.open()
  const rival = cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: HOUR_MS,
    breaker: new cockatiel.ConsecutiveBreaker(1),
  })
  await rival.execute(failing).catch(() => {})
  const timings = await timeInRounds(
    [
      {
        name: 'opossum',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            try {
              await raw.fire()
            } catch (error) {
              last = error
            }
          }
          return last
        },
      },
      {
        name: 'ours',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            try {
              await breaker(well)
            } catch (error) {
              last = error
            }
          }
          return last
        },
      },
      {
        name: 'cockatiel',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            try {
              await rival.execute(well)
            } catch (error) {
              last = error
            }
          }
          return last
        },
      },
      {
        name: 'admit',
        run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = breaker.admit()
          return last
        },
      },
    ],
    settings,
  )
  raw.shutdown()
  const { admit = [] } = timings
  return [
    {
      id: 'breaker-open',
      samples: ratios(timings, 'ours', 'opossum'),
      parts: nanoseconds(timings, ['ours', 'opossum', 'cockatiel']),
    },
    { id: 'breaker-refusal', samples: admit, parts: { p99Ns: quantile(admit, 0.99) } },
  ]
}

/** Someone who takes calls, with so many of them in the window already. */
interface Primed {
  fail(): Promise<unknown>
  close(): void
}

type Maker = (calls: number) => Promise<Primed>

/** Each round begins with new breakers, or their windows would fill with what is measured. */
async function failures({ library, settings, quick }: SceneContext): Promise<Measured> {
  const makers: Record<string, { make: Maker; times: number }> = {
    ours: { make: primedOurs(library), times: FAILURES },
    cockatiel: { make: primedCockatiel, times: FAILURES },
    opossumOff: { make: primedOpossum({ ...OFF }), times: FAILURES },
    opossum: { make: primedOpossum({ timeout: false }), times: FAILURES_OF_OPOSSUM },
  }
  const timings: Timings = {}
  const rounds = quick ? 10 : Math.min(settings.rounds, 40)
  // The first rounds are the warm-up.
  for (let round = -3; round < rounds; round++) {
    for (const [name, { make, times }] of Object.entries(makers)) {
      for (const calls of round % 2 === 0 ? [FEW, MANY] : [MANY, FEW]) {
        const ns = await timeFailures(await make(calls), times)
        const label = `${name}${calls}`
        timings[label] ??= []
        if (round >= 0) timings[label].push(ns)
      }
    }
  }
  const us = Object.entries(timings).map(([name, ns]) => [`${name}Us`, median(ns) / 1000] as const)
  return {
    id: 'breaker-failures',
    samples: ratios(timings, `ours${MANY}`, `ours${FEW}`),
    parts: Object.fromEntries(us),
  }
}

async function timeFailures(primed: Primed, times: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < times; i++) {
    try {
      await primed.fail()
    } catch {}
  }
  const ns = ((performance.now() - start) * 1e6) / times
  primed.close()
  return ns
}

function primedOurs(library: SceneContext['library']): Maker {
  return async (calls) => {
    const breaker = library.circuitBreaker({
      window: { type: 'time', duration: '1h' },
      failureRate: 0.99,
    })
    for (let i = 0; i < calls; i++) await breaker(well)
    return { fail: () => breaker(failing), close() {} }
  }
}

async function primedCockatiel(calls: number): Promise<Primed> {
  const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: 10_000,
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.99, duration: HOUR_MS }),
  })
  for (let i = 0; i < calls; i++) await breaker.execute(well)
  return { fail: () => breaker.execute(failing), close() {} }
}

function primedOpossum(options: Opossum.Options): Maker {
  return async (calls) => {
    const breaker = new Opossum((isWell: boolean) => (isWell ? well() : failing()), {
      enableSnapshots: false,
      ...options,
      errorThresholdPercentage: 99,
      volumeThreshold: 10,
      rollingCountTimeout: HOUR_MS,
    })
    for (let i = 0; i < calls; i++) await breaker.fire(true)
    return { fail: () => breaker.fire(false), close: () => breaker.shutdown() }
  }
}

function nanoseconds(timings: Timings, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [`${name}Ns`, median(timings[name] ?? [])]))
}
