import { type Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Clock } from '../../../contracts/clock.ts'
import type { StoreSource } from '../../../contracts/store.ts'
import { ownClientOptions } from './client-options.ts'
import { addressOf, copiedSubscriber, endpointOf } from './cluster-options.ts'
import type { Login } from './handshake.ts'
import { namesOf } from './name-lookup.ts'
import type { Settings } from './settings.ts'

/** The client's types want the shape of replies, which is the default, or nothing. */
type OwnOptions = RedisOptions & { replyMapping?: 'legacy' }

/** A connection, and who has to log in: us, if `login` is there. */
export interface NodeClient {
  readonly client: Redis
  readonly login?: Login
}

/** Where connections to nodes come from: they are our own, or those of a user's client. */
export interface NodeSource {
  readonly source: StoreSource
  /** Whether connections are opened, cut and closed by us. */
  readonly isOurs: boolean
  readonly connections: number
  seeds(): readonly string[]
  /** From an address as the cluster has it to the one that is reached from here. */
  translate(address: string): string
  /** A connection to this node; none where the user's client does not have it yet. */
  connect(address: string): NodeClient | undefined
  /** Whether that is still the connection to use. */
  isCurrent(address: string, client: Redis | undefined): boolean
  /** A new connection that may be subscribed, and is ours to close. */
  subscriber(address: string): NodeClient | undefined
}

export function ownNodes(settings: Settings, clock: Clock): NodeSource {
  const { target, credentials, tls } = settings
  const seeds = target.kind === 'cluster' ? target.nodes.map(addressOf) : []
  const open = (address: string, name: string): NodeClient => ({
    client: new Redis(ownClientOptions(endpointOf(address), tls, namesOf(clock)) as OwnOptions),
    login: { credentials, db: 0, name },
  })
  return {
    source: 'cluster',
    isOurs: true,
    connections: Math.max(1, settings.connections),
    seeds: () => seeds,
    translate: (address) => address,
    connect: (address) => open(address, 'resilient-cache'),
    isCurrent: () => true,
    subscriber: (address) => open(address, 'resilient-cache:bus'),
  }
}

/** Ends a connection without waiting for the other side, which may be silent. */
export function destroy(client: Redis): void {
  client.disconnect()
  client.stream?.destroy()
}

/** The user's `Cluster`: used as it is, never closed, and asked for connections it does not have. */
export function broughtNodes(client: Cluster): NodeSource {
  const find = (address: string) => client.nodes().find((node) => keyOf(node) === address)
  return {
    source: 'client',
    isOurs: false,
    connections: 1,
    seeds() {
      wakeUp(client)
      return client.nodes().map(keyOf)
    },
    translate(address) {
      const { natMap } = client.options
      const mapped = typeof natMap === 'function' ? natMap(address) : natMap?.[address]
      return mapped ? addressOf(mapped) : address
    },
    connect(address) {
      const node = find(address)
      if (!node) wakeUp(client)
      return node && { client: node }
    },
    isCurrent: (address, present) => present !== undefined && find(address) === present,
    subscriber(address) {
      const model = find(address) ?? client.nodes()[0]
      return model && { client: model.duplicate(copiedSubscriber(address)) }
    },
  }
}

function keyOf(node: Redis): string {
  return addressOf(node.options)
}

function wakeUp(client: Cluster): void {
  if (client.status === 'wait') client.connect().catch(ignore)
  else if (client.status === 'ready') client.refreshSlotsCache(ignore)
}

function ignore(): void {}
