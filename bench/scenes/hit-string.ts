import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { bareLru, MAX_ENTRIES, sampleValue } from './sample.ts'

/** One hot string key, awaited; `peek` of it; and a loop that awaits a settled promise and nothing else. */
export const scene: Scene = async ({ library, settings }) => {
  const value = sampleValue(1)
  const key = 'partner-12345678-5'
  const lru = bareLru<string>()
  lru.set(key, value)
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES } })
  const partner = cache.cached(async (_rut: string) => value, { name: 'partner' })
  await partner(key)
  const settled = Promise.resolve(value)

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await lru.get(key)
          return last
        },
      },
      {
        name: 'hit',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await partner(key)
          return last
        },
      },
      {
        name: 'peek',
        run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = partner.peek(key)
          return last
        },
      },
      {
        name: 'nothing',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await settled
          return last
        },
      },
    ],
    settings,
  )
  const ns = (name: string) => median(timings[name] ?? [])
  return [
    {
      id: 'hit-string',
      samples: ratios(timings, 'hit', 'reference'),
      parts: {
        ns: ns('hit'),
        p99Ns: quantile(timings.hit ?? [], 0.99),
        referenceNs: ns('reference'),
        emptyAwaitNs: ns('nothing'),
      },
    },
    {
      id: 'peek',
      samples: ratios(timings, 'peek', 'reference'),
      parts: {
        ns: ns('peek'),
        p99Ns: quantile(timings.peek ?? [], 0.99),
        referenceNs: ns('reference'),
      },
    },
  ]
}
