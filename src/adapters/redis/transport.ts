import type { Clock } from '../../contracts/clock.ts'
import type { StoreSource } from '../../contracts/store.ts'

// What the protocol needs of a connection to Redis, and no more: the sessions speak to real servers
// through a client, and to simulated ones in virtual time, with the same code.

export type Argument = string | number | Uint8Array

/** Its name first. */
export type Command = readonly Argument[]

/** Texts and bytes come as buffers; a command that failed has an error in its place. */
export type Reply = Buffer | number | null | Error | readonly Reply[]

/** `PUBLISH` and `SUBSCRIBE`, or their sharded counterparts of Redis 7 in Cluster. */
export type BusKind = 'plain' | 'sharded'

/**
 * Whether the server that was reached has the history of the one before.
 * `same`: it is the same one, or was its replica. `other`: what it holds is of another past, or it
 * cannot be known. `first`: there was none before in this process.
 */
export type Lineage = 'first' | 'same' | 'other'

export interface TransportState {
  /**
   * `ready` is told for each new connection, with its lineage, even if the one before was ready until
   * now. Without lineage more is known of the same connection.
   */
  readonly state: 'connecting' | 'ready' | 'down'
  readonly source: StoreSource
  readonly lineage?: Lineage
  /** Longest life of what is written to a server that may not be the master any more. */
  readonly maxKeepMs?: number
  readonly readOnly?: boolean
  /** With `ready`: why most of it cannot be reached at present. */
  readonly partial?: Error
  readonly error?: Error
}

export interface TransportEvents {
  onState(state: TransportState): void
  /** What was published, as long as the subscription is alive. */
  onMessage(channel: string, payload: Buffer): void
  /** The subscription begins anew: what was published before may have been missed. */
  onSubscribed(): void
  /** The server does not let this user listen. It is tried again, and `onSubscribed` tells of success. */
  onDenied?(error: Error): void
}

/** The connections of one cache. Opening never throws and never waits. */
export interface Transport {
  /** Whether keys of different hash tags may lie on different nodes. */
  readonly isClustered: boolean
  /** Valid while `ready`. */
  readonly bus: BusKind
  /** The node that has the keys of this hash tag at present; one text for all outside Cluster. */
  nodeOf(hashTag: string): string
  /**
   * One round trip: the commands in one pipeline to one node, the replies in their order. Commands
   * are never sent twice by themselves, other than to follow a redirection.
   * @throws when they could not be sent, or the connection was lost before all replies came
   */
  send(node: string, commands: readonly Command[]): Promise<readonly Reply[]>
  /** Replaces the channels that are listened to. Resubscribing after a loss is the transport's work. */
  subscribe(channels: readonly string[]): void
  close(): Promise<void>
}

export interface TransportWorld {
  readonly clock: Clock
  readonly random: () => number
  /** Deadline of one operation, in milliseconds. */
  readonly timeoutMs: number
}

export type OpenTransport = (world: TransportWorld, events: TransportEvents) => Transport
