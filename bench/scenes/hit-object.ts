import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { bareLru, MAX_ENTRIES, sampleValue } from './sample.ts'

interface Query {
  tenant: string
  id: number
  locale: string
}

/** One hot object as the only argument, against `JSON.stringify` and the bare lookup. */
export const scene: Scene = async ({ library, settings }) => {
  const value = sampleValue(1)
  const query: Query = { tenant: 'acme', id: 42, locale: 'es-CL' }
  const lru = bareLru<string>()
  lru.set(JSON.stringify(query), value)
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES } })
  const partner = cache.cached(async (_query: Query) => value, { name: 'partner' })
  await partner(query)

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await lru.get(JSON.stringify(query))
          return last
        },
      },
      {
        name: 'hit',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await partner(query)
          return last
        },
      },
    ],
    settings,
  )
  return [
    {
      id: 'hit-object',
      samples: ratios(timings, 'hit', 'reference'),
      parts: {
        ns: median(timings.hit ?? []),
        p99Ns: quantile(timings.hit ?? [], 0.99),
        referenceNs: median(timings.reference ?? []),
      },
    },
  ]
}
