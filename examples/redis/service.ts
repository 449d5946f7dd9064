/** All that the service has to do with the cache. The rest of this folder breaks Redis and watches. */

// In your project: from '@org/resilient-cache' and '@org/resilient-cache/redis'
import { type Cache, type CachedFunction, createCache } from '../../src/index.ts'
import { redis } from '../../src/redis.ts'
import { type Answer, NAMES, type Origins, type Upstream } from './origins.ts'

export const TTL = '20s'

/** One instance of the service, as it would run in a process of its own. */
export interface Instance {
  readonly name: string
  readonly cache: Cache
  readonly read: (upstream: Upstream, id: string) => CachedAnswer
  readonly invalidate: (upstream: Upstream, id: string) => Promise<{ readonly durable: boolean }>
}

type CachedAnswer = Promise<{ readonly value: Answer; readonly source: string }>

export interface Sentinels {
  readonly sentinels: readonly string[]
  readonly masterName: string
}

export function startInstance(name: string, where: Sentinels, origins: Origins): Instance {
  const cache = createCache({
    name: 'shop',
    ttl: TTL,
    l1: { maxEntries: 500 },
    l2: redis(where),
  })
  const functions = Object.fromEntries(
    NAMES.map((upstream) => [
      upstream,
      cache.cached((id: string) => origins.call(upstream, id), {
        name: upstream,
        tags: (id) => [`${upstream}:${id}`],
      }),
    ]),
  ) as Record<Upstream, CachedFunction<[string], Answer>>
  return {
    name,
    cache,
    read: (upstream, id) => functions[upstream].detail(id),
    // By key or by tag, which is the same for whoever reads.
    invalidate: (upstream, id) =>
      upstream === 'invoice'
        ? functions[upstream].invalidate(id)
        : cache.invalidateTag(`${upstream}:${id}`),
  }
}
