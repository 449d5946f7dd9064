import type { RedisOptions } from 'ioredis'
import { CONNECT_MS, LINK_OPTIONS } from './client-options.ts'
import type { Endpoint } from './discovery.ts'

export function endpointOf(address: string): Endpoint {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

export function addressOf({
  host,
  port,
}: {
  host?: string | undefined
  port?: number | undefined
}): string {
  return `${host ?? '127.0.0.1'}:${port ?? 6379}`
}

/** What a copy of a user's connection has to become before it can listen. It logs in by itself. */
export function copiedSubscriber(address: string): RedisOptions {
  return {
    ...LINK_OPTIONS,
    ...endpointOf(address),
    connectionName: 'resilient-cache:bus',
    keyPrefix: '',
    readOnly: false,
    connectTimeout: CONNECT_MS,
  }
}
