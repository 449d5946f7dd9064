import type { Store, StoreSource } from '../../../contracts/store.ts'
import { OpossumEngine } from '../opossum-engine.ts'
import { RedisSession } from '../redis-session.ts'
import type { OpenTransport } from '../transport.ts'
import { checkRedisOptions } from './check-redis-options.ts'
import { openClientTransport } from './client-transport.ts'
import { warnOfClientOptions } from './client-warnings.ts'
import { openClusterTransport } from './cluster-transport.ts'
import { FixedDiscovery } from './fixed-discovery.ts'
import type { RedisOptions } from './redis-options.ts'
import { SentinelDiscovery } from './sentinel-discovery.ts'
import type { Settings } from './settings.ts'
import { openSingleTransport } from './single-transport.ts'

/**
 * A level in Redis, shared by all processes that name the same server and prefix: one server, a
 * master watched by Sentinel, a Cluster, or a client of yours.
 *
 * Nothing connects before a cache opens it, and nothing ever waits for it longer than `timeout`.
 * Where Redis cannot be reached, at the start or later, the level is `down` in `health()` with the
 * cause, the cache goes on without it, and it is used again within 100 ms after it accepts
 * connections. Needs the package `ioredis`, 5.9 or later.
 *
 * ```ts
 * const cache = createCache({ name: 'api', l2: redis({ url: 'redis://localhost:6379' }) })
 * ```
 *
 * @throws ERR_INVALID_OPTION, never with a password or a url in its message
 */
export function redis(options: RedisOptions): Store {
  const settings = checkRedisOptions(options)
  const openTransport = transportOf(settings)
  return {
    source: sourceOf(settings),
    coherence: settings.coherence,
    supports: { leases: true, atomic: true },
    timeoutMs: settings.timeoutMs,
    breaker: (kind) => new OpossumEngine(kind),
    open(context) {
      if (settings.target.kind === 'client') warnOfClientOptions(settings.target.client)
      return new RedisSession(context, openTransport, settings)
    },
  }
}

function sourceOf({ target }: Settings): StoreSource {
  return target.kind
}

function transportOf(settings: Settings): OpenTransport {
  const { target } = settings
  switch (target.kind) {
    case 'standalone':
      return openSingleTransport(settings, () => new FixedDiscovery(target.endpoint))
    case 'sentinel':
      return openSingleTransport(
        settings,
        (world) => new SentinelDiscovery(target, settings, world),
      )
    case 'cluster':
      return openClusterTransport(settings)
    case 'client':
      return isCluster(target.client)
        ? openClusterTransport(settings)
        : openClientTransport(settings)
  }
}

function isCluster(client: unknown): boolean {
  return (client as { isCluster?: boolean }).isCluster === true
}
