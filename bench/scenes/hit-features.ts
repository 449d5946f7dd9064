import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'
import { emptyStore } from './empty-store.ts'
import { MAX_ENTRIES, sampleValue } from './sample.ts'

/** The same hit with nothing switched on, and with all of it: metrics, tags, grace, refresh-ahead, an L2. */
export const scene: Scene = async ({ library, settings }) => {
  const value = sampleValue(1)
  const key = 'partner-12345678-5'
  const bare = library
    .createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES }, refreshAhead: false })
    .cached(async (_rut: string) => value, { name: 'partner' })

  const observed: unknown[] = []
  const cache = library.createCache({
    name: 'bench',
    ttl: '1h',
    grace: '1d',
    refreshAhead: 0.9,
    l1: { maxEntries: MAX_ENTRIES, ttl: '1m' },
    l2: emptyStore(),
    // Counters are kept whether somebody reads them or not; an observer reads them when scraped.
    metrics: { observeCache: (seen) => observed.push(seen) },
  })
  const full = cache.cached(async (_rut: string) => value, {
    name: 'partner',
    tags: (rut) => [`rut:${rut}`, 'partners'],
  })
  await bare(key)
  await full(key)
  await cache.invalidateTag('unrelated')

  const timings = await timeInRounds(
    [
      {
        name: 'bare',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await bare(key)
          return last
        },
      },
      {
        name: 'full',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await full(key)
          return last
        },
      },
    ],
    settings,
  )
  await cache.close()
  return [
    {
      id: 'hit-features',
      samples: ratios(timings, 'full', 'bare'),
      parts: { ns: median(timings.full ?? []), referenceNs: median(timings.bare ?? []) },
    },
  ]
}
