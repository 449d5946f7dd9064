import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { bareLru, MAX_ENTRIES, sampleValue } from './sample.ts'

const KEYS = 1000

/** As `hit-object`, over 1,000 objects in turn: no call finds the key of the one before. */
export const scene: Scene = async ({ library, settings }) => {
  const queries = Array.from({ length: KEYS }, (_, id) => ({ tenant: 'acme', id, locale: 'es-CL' }))
  const lru = bareLru<string>()
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES } })
  const partner = cache.cached(async (query: { id: number }) => sampleValue(query.id), {
    name: 'partner',
  })
  for (const query of queries) lru.set(JSON.stringify(query), await partner(query))

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await lru.get(JSON.stringify(queries[i % KEYS]))
          return last
        },
      },
      {
        name: 'hit',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await partner(queries[i % KEYS] as { id: number })
          return last
        },
      },
    ],
    settings,
  )
  return [
    {
      id: 'hit-object-rotating',
      samples: ratios(timings, 'hit', 'reference'),
      parts: {
        ns: median(timings.hit ?? []),
        p99Ns: quantile(timings.hit ?? [], 0.99),
        referenceNs: median(timings.reference ?? []),
      },
    },
  ]
}
