import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { bareLru, MAX_ENTRIES, sampleValue } from './sample.ts'

/** One hot number as the argument. */
export const scene: Scene = async ({ library, settings }) => {
  const value = sampleValue(1)
  const id = 4711
  const lru = bareLru<number>()
  lru.set(id, value)
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES } })
  const partner = cache.cached(async (_id: number) => value, { name: 'partner' })
  await partner(id)

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await lru.get(id)
          return last
        },
      },
      {
        name: 'hit',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await partner(id)
          return last
        },
      },
    ],
    settings,
  )
  return [
    {
      id: 'hit-number',
      samples: ratios(timings, 'hit', 'reference'),
      parts: {
        ns: median(timings.hit ?? []),
        p99Ns: quantile(timings.hit ?? [], 0.99),
        referenceNs: median(timings.reference ?? []),
      },
    },
  ]
}
