import { LRUCache } from 'lru-cache'
import type { CachedFunction } from '../../src/index.ts'
import type { Built, Scene } from '../harness/scene.ts'
import { emptyStore } from './empty-store.ts'
import { sampleValue, TTL_MS } from './sample.ts'

const ENTRIES = 100_000

/** Bytes of heap for one entry beyond a bare lru-cache with the same keys and values. Needs `--expose-gc`. */
export const scene: Scene = async ({ library }) => {
  const keys = Array.from({ length: ENTRIES }, (_, id) => `${12_000_000 + id}-5`)
  const values = new Map(keys.map((key, id) => [key, sampleValue(id)]))
  // As map keys they get a hash, which is then no longer counted for whoever comes first.
  const origin = async (rut: string): Promise<unknown> => values.get(rut)

  const bare = await grownBy(() => {
    const lru = new LRUCache<string, object>({ max: ENTRIES })
    for (const key of keys) lru.set(key, values.get(key) as object)
    return lru
  })
  const bareWithTtl = await grownBy(() => {
    const lru = new LRUCache<string, object>({ max: ENTRIES, ttl: TTL_MS })
    for (const key of keys) lru.set(key, values.get(key) as object)
    return lru
  })
  const local = await measureLocal(library, keys, origin)
  const layered = await measureLayered(library, keys, origin)
  return [
    {
      id: 'memory-l1',
      samples: [local.filled - bare],
      parts: { bare, bareWithTtl, ours: local.filled },
    },
    { id: 'memory-l1-awaited', samples: [local.awaited - bare] },
    { id: 'memory-full', samples: [layered.awaited - bare], parts: { ours: layered.awaited } },
  ]
}

type Origin = (rut: string) => Promise<unknown>
type Library = Built['library']

async function measureLocal(library: Library, keys: readonly string[], origin: Origin) {
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: ENTRIES } })
  const cached = cache.cached(origin, { name: 'partner' })
  const figures = await fillAndHit(cached, keys)
  await cache.close()
  return figures
}

async function measureLayered(library: Library, keys: readonly string[], origin: Origin) {
  const cache = library.createCache({
    name: 'bench',
    ttl: '1h',
    grace: '1h',
    l1: { maxEntries: ENTRIES, ttl: '1h' },
    l2: emptyStore(),
  })
  const cached = cache.cached(origin, { name: 'partner', tags: () => ['partners'] })
  const figures = await fillAndHit(cached, keys)
  await cache.close()
  return figures
}

/** Fills one cache by its misses, then awaits each entry once. Bytes for one entry, both times. */
async function fillAndHit(cached: CachedFunction<[rut: string], unknown>, keys: readonly string[]) {
  await cached('first-use')
  const filled = await grownBy(async () => {
    for (const key of keys) await cached(key)
    return cached
  })
  const more = await grownBy(async () => {
    for (const key of keys) await cached(key)
    return cached
  })
  const { entries } = cached.stats()
  if (entries < ENTRIES) throw new Error(`only ${entries} of ${ENTRIES} entries are in L1`)
  return { filled, awaited: filled + more }
}

const kept: unknown[] = []

async function grownBy(work: () => unknown): Promise<number> {
  const before = await settledHeap()
  kept.push(await work())
  return ((await settledHeap()) - before) / ENTRIES
}

async function settledHeap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    gc?.()
  }
  return process.memoryUsage().heapUsed
}
