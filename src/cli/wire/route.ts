import type { ConnectionOptions } from 'node:tls'
import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import type { Credentials } from '../../adapters/redis/ioredis/settings.ts'

/** How to get to one server. */
export interface Route {
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly tls: ConnectionOptions | undefined
  readonly db: number
}

export const UNUSABLE = 'The cache goes on without this server.'

export function addressText({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
