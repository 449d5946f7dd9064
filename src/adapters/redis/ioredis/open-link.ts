import { Redis } from 'ioredis'
import type { TransportWorld } from '../transport.ts'
import { ownClientOptions } from './client-options.ts'
import type { Endpoint } from './discovery.ts'
import { Link } from './link.ts'
import { namesOf } from './name-lookup.ts'
import type { Settings } from './settings.ts'

const LEAST_SILENCE_MS = 150

export interface LinkEvents {
  onLoading(error: Error): void
  onEnd(error: Error): void
}

/** How long a connection may owe a reply before it counts as dead. */
export function silenceOf({ timeoutMs }: TransportWorld): number {
  return Math.max(LEAST_SILENCE_MS, 3 * timeoutMs)
}

/** A connection of ours, with `name` as operators see it in CLIENT LIST. */
export function openLink(
  endpoint: Endpoint,
  settings: Settings,
  world: TransportWorld,
  name: string,
  events: LinkEvents,
): Link {
  return new Link({
    client: new Redis(ownClientOptions(endpoint, settings.tls, namesOf(world.clock))),
    clock: world.clock,
    silenceMs: silenceOf(world),
    login: { credentials: settings.credentials, db: settings.db, name },
    ...events,
  })
}
