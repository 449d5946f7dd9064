import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import Bottleneck from 'bottleneck'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Measured, Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const WAITING = 1000
/** They have all gone after two seconds. */
const RATE = 500
const NS_IN_MS = 1e6

/**
 * A call that need not wait, against the same of bottleneck, and against the bare decision of
 * rate-limiter-flexible, which runs no task; and what the event loop feels of 1,000 callers that wait,
 * against a limiter that sleeps where it stands.
 */
export const scene: Scene = async (context) => [
  ...(await uncontended(context)),
  await eventLoopDelay(context),
]

const uncontended: Scene = async ({ library, settings }) => {
  const limits = { requests: library.perSecond(1e9) }
  const limiter = library.rateLimiter({ limits })
  const several = library.rateLimiter({
    limits: { ...limits, input: library.perMinute(1e12), inFlight: library.concurrency(20) },
  })
  const bottleneck = new Bottleneck()
  const flexible = new RateLimiterMemory({ points: 1e15, duration: 3600 })
  const task = async (): Promise<number> => 1
  const timings = await timeInRounds(
    [
      {
        name: 'run',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await limiter(task)
          return last
        },
      },
      {
        name: 'several',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await several(task)
          return last
        },
      },
      {
        name: 'try',
        run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            const permit = limiter.tryAcquire()
            if (permit.ok) permit.release()
            last = permit
          }
          return last
        },
      },
      {
        name: 'flexible',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await flexible.consume('key')
          return last
        },
      },
      {
        name: 'bottleneck',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await bottleneck.schedule(task)
          return last
        },
      },
    ],
    settings,
  )
  const ns = (name: string) => median(timings[name] ?? [])
  const figure = (id: string, subject: string, reference: string): Measured => ({
    id,
    samples: ratios(timings, subject, reference),
    parts: { ns: ns(subject), referenceNs: ns(reference) },
  })
  return [
    figure('rate-limiter-bottleneck', 'run', 'bottleneck'),
    figure('rate-limiter-flexible', 'run', 'flexible'),
    figure('rate-limiter-several', 'several', 'flexible'),
    figure('rate-limiter-try', 'try', 'flexible'),
  ]
}

const eventLoopDelay = async ({ library }: Parameters<Scene>[0]): Promise<Measured> => {
  const limiter = library.rateLimiter({
    limits: { requests: library.perSecond(RATE, { burst: 1 }) },
    queue: { max: WAITING },
  })
  const idle = await delayDuring(() => sleep(1000))
  const waiting = await delayDuring(() =>
    Promise.all(Array.from({ length: WAITING }, () => limiter(async () => 1))),
  )
  const blocking = await delayDuring(() =>
    Promise.all(Array.from({ length: WAITING }, async () => sleepWhereItStands(1000 / RATE))),
  )
  return {
    id: 'rate-limiter-delay',
    // On a machine that does other things too, timers of an idle process are late as well.
    samples: [Math.max(0, waiting.p99 - idle.p99)],
    parts: {
      p99Ms: waiting.p99,
      maxMs: waiting.max,
      idleP99Ms: idle.p99,
      blockingP99Ms: blocking.p99,
      blockingMaxMs: blocking.max,
    },
  }
}

/** How late the timers of others are meanwhile. */
async function delayDuring(work: () => Promise<unknown>): Promise<{ p99: number; max: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  await sleep(50)
  delays.enable()
  await sleep(20)
  await work()
  await sleep(20)
  delays.disable()
  return { p99: delays.percentile(99) / NS_IN_MS, max: delays.max / NS_IN_MS }
}

/** `time.sleep` of other languages: nothing else happens in the process. */
function sleepWhereItStands(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
