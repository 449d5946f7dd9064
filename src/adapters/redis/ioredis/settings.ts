import type { ConnectionOptions } from 'node:tls'
import type { Coherence } from '../../../contracts/store.ts'
import type { Endpoint } from './discovery.ts'

export interface Credentials {
  readonly username?: string
  readonly password?: string
}

/** What the options of `redis()` come to once they are checked and all defaults are in. */
export interface Settings {
  readonly target: Target
  readonly credentials: Credentials
  /** Present: TLS to the data nodes. */
  readonly tls?: ConnectionOptions
  /** 0 in Cluster. */
  readonly db: number
  readonly prefix: string
  readonly timeoutMs: number
  readonly coherence: Coherence
  /** Data connections per node, used in turn. */
  readonly connections: number
  readonly maxValueBytes: number
}

export type Target =
  | { readonly kind: 'standalone'; readonly endpoint: Endpoint }
  | {
      readonly kind: 'sentinel'
      readonly sentinels: readonly Endpoint[]
      readonly masterName: string
      readonly standalone: readonly Endpoint[]
      readonly fallback: 'read-write' | 'read-only' | 'off'
      readonly sentinelCredentials: Credentials
      readonly sentinelTls?: ConnectionOptions
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly Endpoint[] }
  /** An ioredis `Redis` or `Cluster` of the user's: never closed by us. */
  | { readonly kind: 'client'; readonly client: unknown }
