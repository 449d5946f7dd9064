import type { OpenBreaker } from './breaker-engine.ts'
import type { Clock } from './clock.ts'

/** Where the entries of an L2 come from, as `health()` shows it. */
export type StoreSource =
  | 'sentinel'
  | 'last-known'
  | 'standalone'
  | 'cluster'
  | 'client'
  | 'file'
  | 'memory'
  | 'none'

/**
 * How soon a write of one process is seen by the others. `bus`: they are told. `ttl-only`: they
 * keep their L1 copy until its short L1 ttl ends; every store still checks stamps when it is read.
 */
export type Coherence = 'bus' | 'ttl-only'

/** What a store can do beyond keeping bytes. What it lacks, the cache does without and says so. */
export interface StoreSupport {
  /** Leases: at most one load of a key at a time among all processes, and fenced commits. */
  readonly leases: boolean
  /** Whether check, write and count are one atomic step. */
  readonly atomic: boolean
}

/**
 * A level that several caches (processes, or several caches in one process) may share. It is only a
 * description until a cache opens it.
 */
export interface Store {
  readonly source: StoreSource
  readonly coherence: Coherence
  readonly supports: StoreSupport
  /** Deadline of one operation, in milliseconds. The cache enforces it, whatever the store does. */
  readonly timeoutMs: number
  /** What counts failures, where five in a row of any kind are not the right measure. */
  readonly breaker?: OpenBreaker
  /** Never throws and never waits: a store that cannot be used says so through `context.onState`. */
  open(context: StoreContext): StoreSession
}

export interface StoreContext {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /**
   * The cache's name: owner of one sequence and of its tag stamps. Keys that the session is given
   * are already prefixed with it.
   */
  readonly space: string
  /** The store calls it whenever it becomes usable or unusable by itself. */
  onState(state: StoreState): void
  /** Coherence `bus`: what other sessions did, in the order of their sequence numbers. */
  onMessage?(message: BusMessage): void
}

export interface StoreState {
  readonly state: 'connecting' | 'ready' | 'suspect' | 'down'
  readonly source: StoreSource
  /** What the server it has reached allows, where that is less than the store declares. */
  readonly supports?: StoreSupport
  /** How others are told at present, where that is less than the store declares. */
  readonly coherence?: Coherence
  /** With `ready`: only more is known of the connection that was ready before. */
  readonly sameConnection?: boolean
  /** It takes no writes at present, not even invalidations: they are kept until it does. */
  readonly readOnly?: boolean
  /** What is wrong and what to do, without keys, values or secrets. */
  readonly error?: Error
}

/** Where a sequence stands, and which one it is. */
export interface Position {
  readonly sequence: number
  /** Identity of the sequence. */
  readonly epoch: number
}

/**
 * What a session was told by another one. `sequence` is the number of that change in the sequence of
 * the key's partition (`write`; `delete`, one message per partition; `released`) or in that of the
 * stamps (`stamp`); a store without partitions has one sequence for all of it. A jump is a gap:
 * something was missed.
 */
export type BusMessage =
  | {
      readonly kind: 'write'
      readonly key: string
      readonly sequence: number
      readonly epoch: number
    }
  | {
      readonly kind: 'delete'
      readonly keys: readonly string[]
      readonly sequence: number
      readonly epoch: number
    }
  | {
      readonly kind: 'stamp'
      readonly tags: readonly string[]
      readonly mode: StampMode
      readonly sequence: number
      readonly epoch: number
    }
  /** A load ended without storing anything: those who wait for it may load themselves. */
  | {
      readonly kind: 'released'
      readonly key: string
      readonly sequence: number
      readonly epoch: number
    }
  /** Nothing is known of what happened since the last message: reconnect, failover. */
  | {
      readonly kind: 'lost'
      /** It may be another server: numbers that were given out before may be given out again. */
      readonly renumbered?: boolean
    }

/** `hard`: entries older than the stamp are gone. `soft`: they are stale, but may be used in grace. */
export type StampMode = 'hard' | 'soft'

/** When a tag was last invalidated, as numbers of the sequence; 0 where it never was. */
export interface Stamp {
  readonly hard: number
  readonly soft: number
}

export interface ReadRequest {
  readonly keys: readonly string[]
  /** Tags whose stamps are wanted with the entries, in the same round trip. */
  readonly tags: readonly string[]
  /** Absent: a plain read that never leases. */
  readonly lease?: LeaseRequest
  /**
   * What the caller has: of an entry that is still of this version only the first `bytes` have to
   * come. A store may send everything all the same.
   */
  readonly known?: KnownVersions
}

export interface KnownVersions {
  /** In the order of the keys. */
  readonly versions: readonly (number | undefined)[]
  readonly bytes: number
}

export interface LeaseRequest {
  /**
   * Made by the caller, so that a lease whose grant arrived too late can still be used or released.
   * One token serves all keys of the request.
   */
  readonly token: string
  readonly ms: number
  /**
   * `stale`: lease the keys that are missing, past `freshUntil` or of another epoch.
   * `always`: lease every key that nobody else holds (refresh-ahead, an entry found invalid).
   */
  readonly when: 'stale' | 'always'
}

export interface ReadReply {
  /** In the order of the keys. */
  readonly records: readonly (StoredRecord | undefined)[]
  /** In the order of the keys; `undefined` where no lease was asked or needed. */
  readonly leases: readonly ('granted' | 'held' | undefined)[]
  /**
   * In the order of the keys, where a lease was asked and the store keeps count: how loads ended that
   * stored nothing, since something was last stored or invalidated there.
   */
  readonly fruitless?: readonly (FruitlessLoads | undefined)[]
  /** In the order of the tags. */
  readonly stamps: readonly Stamp[]
  /**
   * In the order of the keys: where the sequence of each key's partition stands at the reply, which
   * is what the numbers of messages about the key are compared with. In a store without partitions
   * all of them are the `sequence` and `epoch` of the reply.
   */
  readonly positions: readonly Position[]
  /** The present number of the stamps' sequence: what a load that starts now carries as its stamp. */
  readonly sequence: number
  /** Identity of that sequence. Entries of another epoch are stale. */
  readonly epoch: number
  /** The store's own time at the reply, in milliseconds: what the instants of its entries refer to. */
  readonly now: number
}

/**
 * Loads of one key that stored nothing. Who waits for another process compares the numbers with those
 * of its first look: so it knows what happened while it waited, whatever messages were lost. The
 * store forgets them after some seconds without another one.
 */
export interface FruitlessLoads {
  /** How many have failed. */
  readonly failed: number
  /** The last failure. */
  readonly failure?: Failure
  /** How many brought a value that may not be stored. */
  readonly unstored: number
}

/** An error of an origin, as it is told to other processes. */
export interface Failure {
  readonly name: string
  readonly message: string
  readonly code?: string
}

/**
 * Why a lease is given back. `failed`: the origin failed. `unstored`: it brought a value that may
 * not be stored, and neither will the next. `unused`: the origin was not called, or was given up.
 */
export type LoadEnd =
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'unstored' }
  | { readonly kind: 'unused' }

export interface StoredRecord {
  /** Only the first of them, where the caller knows this version. */
  readonly bytes: Uint8Array
  /** The number the sequence had when it was written. */
  readonly version: number
}

export interface WriteRequest {
  readonly key: string
  readonly bytes: Uint8Array
  /** Fresh until then, in the store's time; what a lease request of another session looks at. */
  readonly freshUntil: number
  /** The store may forget the entry then, in the store's time. */
  readonly keepUntil: number
  /**
   * Present: a commit, stored only while the lease is held and no stamp is newer. Absent: a `set` by
   * the user, stored unless it is too large; it drops the lease of whoever is loading.
   */
  readonly fence?: Fence
  /**
   * Of a write without fence: all tags of the entry. A store that forgets stamps has to have one of
   * each, or the entry would be taken for older than the loss.
   */
  readonly tags?: readonly string[]
}

export interface Fence {
  /** Absent where the store has no leases. */
  readonly token?: string
  /** `sequence` and `epoch` of the read that came before the origin was called. */
  readonly sequence: number
  readonly epoch: number
  /** All tags of the entry, the dynamic ones included. */
  readonly tags: readonly string[]
}

/**
 * `too-large`: the store serves, but will never take so large a value; whatever it held for the key
 * is still there. `late`: it was on its way for so long that what was done later may be there already.
 * A write without fence is refused for these two only.
 */
export type WriteReply =
  | { readonly stored: true; readonly version: number }
  | {
      readonly stored: false
      readonly reason: 'lease-lost' | 'tag-changed' | 'epoch-changed' | 'too-large' | 'late'
    }

export interface StoreSession {
  read(request: ReadRequest): Promise<ReadReply>
  write(request: WriteRequest): Promise<WriteReply>
  /** Deletes entries and drops their leases. */
  delete(keys: readonly string[]): Promise<{ readonly sequence: number }>
  /** Stamps tags with a new number of the sequence. O(1) in the number of entries. */
  stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }>
  /** Whether the lease is still ours; it then lasts `ms` from now. */
  renew(key: string, token: string, ms: number): Promise<boolean>
  /** Gives a lease back without storing anything. Nothing happens if it is not ours. */
  release(key: string, token: string, end?: LoadEnd): Promise<void>
  /** Resolves when the store can serve. Used to find out that it is back; never a user's call. */
  probe(): Promise<void>
  close(): Promise<void>
}
