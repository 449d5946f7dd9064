import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { PROPERTY_TIMEOUT_MS, runSettings, settle } from './settings.ts'

const TTL_MS = 1000
const GRACE_MS = 60_000
const HARD_MS = 2000
const DEADLINE_MS = 50

type Step =
  | { readonly type: 'read'; readonly how: 'call' | 'detail' | 'many' | 'with signal' }
  | { readonly type: 'refresh' }
  | { readonly type: 'expire' }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'origin'; readonly answers: 'ok' | 'fails' | 'slowly' | 'never' }
  | { readonly type: 'l2'; readonly state: 'healthy' | 'throws' | 'hangs' | 'late' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('read' as const),
        how: fc.constantFrom(
          'call' as const,
          'detail' as const,
          'many' as const,
          'with signal' as const,
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('refresh' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('expire' as const) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('advance' as const),
        ms: fc.constantFrom(1, 30, 60, 200, 700, 950, 1100, 2500),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('origin' as const),
        answers: fc.constantFrom(
          'ok' as const,
          'fails' as const,
          'slowly' as const,
          'never' as const,
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('l2' as const),
        state: fc.constantFrom(
          'healthy' as const,
          'throws' as const,
          'hangs' as const,
          'late' as const,
        ),
      }),
    },
  ),
  { minLength: 4, maxLength: 30, size: 'max' },
)

const worlds = fc.record({
  softTimeout: fc.constantFrom(0, 80),
  completeInBackground: fc.boolean(),
  refreshAhead: fc.constantFrom<number | false>(false, 0.5),
  graceBackoff: fc.constantFrom(0, 300),
  l1Ttl: fc.constantFrom(200, 5000),
  withL2: fc.boolean(),
})

it(
  'I4: with a usable stale value a read never rejects, nor takes longer than softTimeout and one L2 deadline',
  async () => {
    await fc.assert(
      fc.asyncProperty(worlds, steps, async ({ l1Ttl, withL2, ...world }, list) => {
        const clock = new FakeClock(1000)
        const chaos = chaosStore(memory())
        let answers: 'ok' | 'fails' | 'slowly' | 'never' = 'ok'
        const cache = createCache({
          name: 'available',
          clock,
          random: () => 0.5,
          jitter: 0,
          l1: { ttl: l1Ttl },
          l2: withL2 && chaos,
          ttl: TTL_MS,
          grace: GRACE_MS,
          hardTimeout: HARD_MS,
          ...world,
        })
        const load = async (): Promise<string> => {
          if (answers === 'fails') throw new Error('the origin failed')
          if (answers === 'never') return new Promise(() => {})
          if (answers === 'slowly') await new Promise<void>((done) => clock.setTimeout(done, 900))
          return 'value'
        }
        const fn = cache.cached(load, { name: 'fn', tags: () => ['tag'] })
        await fn()
        await clock.advance(1)

        const late: string[] = []
        let waiting = 0
        const bound = world.softTimeout + DEADLINE_MS
        const follow = (what: string, reading: Promise<unknown>): void => {
          const startedAt = clock.now()
          waiting++
          reading.then(
            () => {
              waiting--
              const took = clock.now() - startedAt
              if (took > bound) late.push(`${what} took ${took} ms`)
            },
            (error: unknown) => {
              waiting--
              late.push(`${what} rejected: ${error}`)
            },
          )
        }
        for (const step of list) {
          // A value so old that its grace may end is another story.
          if (clock.now() > GRACE_MS / 2) break
          switch (step.type) {
            case 'read':
              if (step.how === 'call') follow('a call', fn())
              else if (step.how === 'detail') follow('detail', fn.detail())
              else if (step.how === 'many') follow('many', fn.many([[]]))
              else follow('a call', fn.with({ signal: new AbortController().signal })())
              break
            case 'refresh':
              fn.refresh().catch(() => {})
              break
            case 'expire':
              void cache.expireTag('tag')
              break
            case 'advance':
              await clock.advance(step.ms)
              break
            case 'origin':
              answers = step.answers
              break
            case 'l2':
              chaos.set({ throws: 0, hangs: 0, late: 0 })
              if (step.state !== 'healthy') chaos.set({ [step.state]: 1 })
          }
          await settle()
        }
        await clock.advance(bound)
        expect(late).toEqual([])
        expect(waiting).toBe(0)
        await Promise.all([cache.close({ deadline: 0 }), clock.advance('10s')])
      }),
      runSettings(1000),
    )
  },
  PROPERTY_TIMEOUT_MS,
)
