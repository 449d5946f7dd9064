import type { ConnectionOptions } from 'node:tls'
import type { Coherence } from '../../../contracts/store.ts'
import type { ByteSize } from '../../../kernel/byte-size.ts'
import type { Duration } from '../../../kernel/duration.ts'
import type { RedisEndpoint } from './endpoints.ts'

/** An ioredis `Redis` or `Cluster`, version 5.9 or later, by what is used of it. */
export interface RedisClient {
  readonly status: string
  duplicate(...options: never[]): unknown
  sendCommand(...command: never[]): unknown
  on(event: never, listener: never): unknown
}

/**
 * Where Redis is, and how it is used. Exactly one of `url`, `sentinels`, `cluster`, `client` says
 * where; everything else has a default.
 */
export interface RedisOptions {
  /** One server: `redis://user:password@host:6379/0`, with `rediss://` for TLS. */
  url?: string
  /**
   * The sentinels, as many of them as there are; the port is 26379 where none is given. All are asked
   * at once, and one that answers is enough.
   */
  sentinels?: readonly RedisEndpoint[]
  /** What the sentinels call the master. Needed with `sentinels`. */
  masterName?: string
  /** Tried when neither the sentinels nor the last known master can be reached. */
  standalone?: RedisEndpoint | readonly RedisEndpoint[]
  /**
   * What may be done with a server that no sentinel vouches for at present: what is written there
   * lives at most a minute (`read-write`), nothing is written there (`read-only`), or it is not used
   * (`off`). @default 'read-write'
   */
  fallback?: 'read-write' | 'read-only' | 'off'
  /** Credentials for the sentinels themselves; without them none are sent. */
  sentinelUsername?: string
  sentinelPassword?: string
  /** TLS to the sentinels. @default false */
  sentinelTls?: boolean | ConnectionOptions
  /** Some nodes of a Redis Cluster, from which the others are learned. */
  cluster?: readonly RedisEndpoint[]
  /**
   * A client of yours (ioredis 5.9 or later, `Redis` or `Cluster`), which is shared and never closed
   * by the cache. Options of it that endanger the deadline are reported as a warning of the process.
   */
  client?: RedisClient
  /** ACL user. @default the default user of the server */
  username?: string
  password?: string
  /** `true`, or options of `tls.connect`. @default what the scheme of `url` says, else false */
  tls?: boolean | ConnectionOptions
  /** Number of the database; 0 in Cluster. @default 0 */
  db?: number
  /** What all keys and channels begin with. @default 'rc' */
  prefix?: string
  /** Deadline of one operation. A call never waits longer for Redis. @default '50ms' */
  timeout?: Duration
  /**
   * `bus`: other processes are told of changes at once. `ttl-only`: they are not, and keep what they
   * have in L1 for at most 5 s. @default 'bus'
   */
  coherence?: Coherence
  /** Data connections per node, used in turn; one is enough below some 100,000 reads/s. @default 1 */
  connections?: number
  /** Larger records are not stored; at most `'8mb'`. @default '1mb' */
  maxValueBytes?: ByteSize
}
