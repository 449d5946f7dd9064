import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { AbstractConnector, type RedisOptions } from 'ioredis'
import type { Endpoint } from './discovery.ts'
import type { NameLookup } from './name-lookup.ts'

export const CONNECT_MS = 1000
export const DISCONNECT_MS = 50

/**
 * One connection that is used once: no queue, no second try, no reconnecting by itself, nothing of
 * its own at the beginning. We log in ourselves (handshake.ts), because the client prints warnings
 * when it does, and in the older protocol, which both versions of it and every proxy speak; replies
 * look the same in both. Silence is watched by us too: `socketTimeout` takes a busy event loop of
 * this process for a silent server.
 */
export const LINK_OPTIONS = {
  protocol: 2,
  lazyConnect: true,
  disableClientInfo: true,
  enableReadyCheck: false,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: null,
  reconnectOnError: null,
  disconnectTimeout: DISCONNECT_MS,
  keepAlive: 10_000,
  noDelay: true,
} as const satisfies RedisOptions

/** Also without a limit of the client's: ours counts names and logging in too. */
export function ownClientOptions(
  endpoint: Endpoint,
  tls: ConnectionOptions | undefined,
  names: NameLookup,
): RedisOptions & { replyMapping?: 'legacy' } {
  class DirectConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS)
    }

    connect(): Promise<Socket> {
      const stream = openSocket(endpoint, tls, names)
      // The process may end while it is open; whoever waits for a reply holds it, see link.ts.
      stream.unref()
      // It may fail before the client listens.
      stream.on('error', (error) => {
        this.firstError = error
      })
      this.stream = stream
      return Promise.resolve(stream)
    }
  }
  return {
    ...LINK_OPTIONS,
    // The client waits for 'secureConnect' only if it knows.
    ...(tls && { tls }),
    connectTimeout: 0,
    Connector: DirectConnector,
  }
}

function openSocket(
  { host, port }: Endpoint,
  tls: ConnectionOptions | undefined,
  names: NameLookup,
): Socket {
  const address = { host, port, lookup: names.forSocket }
  if (!tls) return connect(address)
  // Node sends no name by itself, and servers behind one address need it.
  const named = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ ...named, ...tls, ...address })
}
