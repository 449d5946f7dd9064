import {
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel'
import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const DURATION_MS = 10_000

/**
 * A task that answers at once, through retry, breaker and time-out: of cockatiel, which is the
 * reference, of ours, and with all stages that a guard has. And a rejection while the breaker is open.
 */
export const scene: Scene = async ({ library, settings }) => {
  const task = async (): Promise<number> => 1
  const rival = wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: DURATION_MS, breaker: new ConsecutiveBreaker(5) }),
    timeout(DURATION_MS, TimeoutStrategy.Aggressive),
  )
  const stages = {
    retry: { attempts: 3 },
    breaker: { window: { type: 'consecutive', failures: 5 } },
    timeout: DURATION_MS,
  } as const
  const ours = library.guard(stages)
  const wrapped = library.guard(stages).wrap(task)
  const full = library.guard({
    ...stages,
    deadline: 30_000,
    fallback: 0,
    hedge: { after: 'p95' },
    idempotent: true,
    limit: { limits: { requests: library.perSecond(1e9) } },
    bulkhead: 1000,
  })
  const empty = library.guard({})
  const { open, rivalOpen } = await opened(library)

  const timings = await timeInRounds(
    [
      {
        name: 'bare',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await task()
          return last
        },
      },
      {
        name: 'cockatiel',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await rival.execute(task)
          return last
        },
      },
      {
        name: 'guard',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await ours(task)
          return last
        },
      },
      {
        name: 'wrapped',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await wrapped()
          return last
        },
      },
      {
        name: 'full',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await full(task)
          return last
        },
      },
      {
        name: 'empty',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await empty(task)
          return last
        },
      },
      {
        name: 'cockatielOpen',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await rivalOpen.execute(task).catch(itself)
          return last
        },
      },
      {
        name: 'open',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await open(task).catch(itself)
          return last
        },
      },
    ],
    settings,
  )
  const ns = (name: string) => median(timings[name] ?? [])
  const parts = { cockatielNs: ns('cockatiel'), bareNs: ns('bare') }
  return [
    {
      id: 'guard',
      samples: ratios(timings, 'guard', 'cockatiel'),
      parts: { ns: ns('guard'), ...parts },
    },
    {
      id: 'guard-wrapped',
      samples: ratios(timings, 'wrapped', 'cockatiel'),
      parts: { ns: ns('wrapped'), ...parts },
    },
    {
      id: 'guard-full',
      samples: ratios(timings, 'full', 'cockatiel'),
      parts: { ns: ns('full'), ...parts },
    },
    { id: 'guard-empty', samples: [ns('empty') - ns('bare')], parts: { bareNs: ns('bare') } },
    {
      id: 'guard-rejected',
      samples: ratios(timings, 'open', 'cockatielOpen'),
      parts: { ns: ns('open'), cockatielNs: ns('cockatielOpen') },
    },
  ]
}

/** Both with a breaker that stays open as long as the scene runs. */
async function opened(library: Parameters<Scene>[0]['library']) {
  const down = (): Promise<never> => Promise.reject(new Error('down'))
  const rivalOpen = wrap(
    // Ours does not repeat what an open breaker has rejected.
    retry(handleAll, { maxAttempts: 0 }),
    circuitBreaker(handleAll, { halfOpenAfter: 3_600_000, breaker: new ConsecutiveBreaker(1) }),
    timeout(DURATION_MS, TimeoutStrategy.Aggressive),
  )
  const open = library.guard({
    retry: {},
    breaker: { window: { type: 'consecutive', failures: 1 }, openFor: '1h' },
    timeout: DURATION_MS,
  })
  await open(down).catch(itself)
  await rivalOpen.execute(down).catch(itself)
  return { open, rivalOpen }
}

function itself(error: unknown): unknown {
  return error
}
