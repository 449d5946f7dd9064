import { LRUCache } from 'lru-cache'
import { timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'
import { sampleValue } from './sample.ts'

const CALLERS = 100
const MAX = 1000

/**
 * A miss: alone, and joined by 99 others, with an origin that answers at once. The reference does the
 * least that can be called single-flight: a Map of promises and an lru-cache.
 */
export const scene: Scene = async ({ library, settings }) => {
  const value = sampleValue(1)
  const origin = async (_key: string): Promise<object> => value
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX } })
  const single = cache.cached(origin, { name: 'single' })
  const shared = cache.cached(origin, { name: 'shared' })
  const bare = singleFlight(origin)
  const bareShared = singleFlight(origin)
  let next = 0

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await bare(`k${next++}`)
          return last
        },
      },
      {
        name: 'miss',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await single(`k${next++}`)
          return last
        },
      },
      {
        name: 'sharedReference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            const key = `k${next++}`
            const calls: unknown[] = []
            for (let caller = 0; caller < CALLERS; caller++) calls.push(bareShared(key))
            last = await Promise.all(calls)
          }
          return last
        },
      },
      {
        name: 'shared',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            const key = `k${next++}`
            const calls: unknown[] = []
            for (let caller = 0; caller < CALLERS; caller++) calls.push(shared(key))
            last = await Promise.all(calls)
          }
          return last
        },
      },
    ],
    settings,
  )
  const each = (name: string, divisor: number) =>
    (timings[name] ?? []).map((ns) => ns / divisor / 1000)
  return [
    {
      id: 'miss',
      samples: each('miss', 1),
      parts: { referenceUs: median(each('reference', 1)) },
    },
    {
      id: 'miss-coalesced',
      samples: each('shared', CALLERS),
      parts: { referenceUs: median(each('sharedReference', CALLERS)) },
    },
  ]
}

function singleFlight(origin: (key: string) => Promise<object>): (key: string) => Promise<object> {
  const lru = new LRUCache<string, object>({ max: MAX, ttl: 3_600_000 })
  const flights = new Map<string, Promise<object>>()
  const load = async (key: string): Promise<object> => {
    try {
      const value = await origin(key)
      lru.set(key, value)
      return value
    } finally {
      flights.delete(key)
    }
  }
  return (key) => {
    const found = lru.get(key)
    if (found !== undefined) return Promise.resolve(found)
    let flight = flights.get(key)
    if (!flight) {
      flight = load(key)
      flights.set(key, flight)
    }
    return flight
  }
}
