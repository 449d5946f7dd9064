import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { bareLru, MAX_ENTRIES, sampleValue } from './sample.ts'

const KEYS = 1024

/** 1,024 string keys in turn: the lookup misses the caches of the processor, as in a service. */
export const scene: Scene = async ({ library, settings }) => {
  const keys = Array.from({ length: KEYS }, (_, id) => `${12_000_000 + id}-5`)
  const lru = bareLru<string>()
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES } })
  const partner = cache.cached(async (rut: string) => sampleValue(Number.parseInt(rut, 10)), {
    name: 'partner',
  })
  for (const key of keys) lru.set(key, await partner(key))

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await lru.get(keys[i % KEYS] as string)
          return last
        },
      },
      {
        name: 'hit',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await partner(keys[i % KEYS] as string)
          return last
        },
      },
    ],
    settings,
  )
  return [
    {
      id: 'hit-rotating',
      samples: ratios(timings, 'hit', 'reference'),
      parts: {
        ns: median(timings.hit ?? []),
        p99Ns: quantile(timings.hit ?? [], 0.99),
        referenceNs: median(timings.reference ?? []),
      },
    },
  ]
}
