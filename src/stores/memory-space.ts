import type {
  Fence,
  LeaseRequest,
  ReadReply,
  ReadRequest,
  StampMode,
  StoredRecord,
  WriteReply,
  WriteRequest,
} from '../contracts/store.ts'
import { ExpiringMap } from './expiring-map.ts'
import { StampTable } from './stamp-table.ts'

interface Entry {
  readonly record: StoredRecord
  readonly freshUntil: number
  readonly until: number
}

interface Lease {
  readonly token: string
  readonly until: number
}

const MAX_STAMPS = 10_000

/**
 * What one space holds during one epoch, and the rules of the store contract over it. Every method is
 * synchronous: check, write and count are one step because nothing else runs in between.
 */
export class MemorySpace {
  readonly epoch: number
  readonly #entries: ExpiringMap<Entry>
  readonly #leases = new ExpiringMap<Lease>()
  readonly #stamps = new StampTable(MAX_STAMPS)
  #sequence = 0

  constructor(epoch: number, maxEntries: number) {
    this.epoch = epoch
    this.#entries = new ExpiringMap(maxEntries)
  }

  get sequence(): number {
    return this.#sequence
  }

  read({ keys, tags, lease }: ReadRequest, now: number): ReadReply {
    const entries = keys.map((key) => this.#entries.get(key, now))
    const position = { sequence: this.#sequence, epoch: this.epoch }
    return {
      records: entries.map((entry) => entry?.record),
      leases: keys.map((key, at) => lease && this.#lease(key, entries[at], lease, now)),
      stamps: tags.map((tag) => this.#stamps.get(tag)),
      positions: keys.map(() => position),
      ...position,
      now,
    }
  }

  write({ key, bytes, freshUntil, keepUntil, fence }: WriteRequest, now: number): WriteReply {
    const reason = fence && this.#refusal(key, fence, now)
    if (reason) return { stored: false, reason }
    const version = ++this.#sequence
    this.#entries.set(key, { record: { bytes, version }, freshUntil, until: keepUntil }, now)
    this.#leases.delete(key)
    return { stored: true, version }
  }

  delete(keys: readonly string[]): void {
    this.#sequence++
    for (const key of keys) {
      this.#entries.delete(key)
      this.#leases.delete(key)
    }
  }

  stamp(tags: readonly string[], mode: StampMode): void {
    this.#sequence++
    for (const tag of tags) this.#stamps.set(tag, mode, this.#sequence)
  }

  renew(key: string, token: string, ms: number, now: number): boolean {
    const ours = this.#holds(key, token, now)
    if (ours) this.#leases.set(key, { token, until: now + ms }, now)
    return ours
  }

  /** Whether there was a lease of ours to give back. */
  release(key: string, token: string, now: number): boolean {
    const ours = this.#holds(key, token, now)
    if (ours) {
      this.#leases.delete(key)
      // A number of its own: to whoever is told, an old number would look like a repeated message.
      this.#sequence++
    }
    return ours
  }

  #lease(
    key: string,
    entry: Entry | undefined,
    { token, ms, when }: LeaseRequest,
    now: number,
  ): 'granted' | 'held' | undefined {
    if (when === 'stale' && entry && now < entry.freshUntil) return undefined
    const holder = this.#leases.get(key, now)
    if (holder && holder.token !== token) return 'held'
    this.#leases.set(key, { token, until: now + ms }, now)
    return 'granted'
  }

  #holds(key: string, token: string | undefined, now: number): boolean {
    const lease = this.#leases.get(key, now)
    return lease !== undefined && lease.token === token
  }

  #refusal(key: string, { token, sequence, epoch, tags }: Fence, now: number) {
    if (epoch !== this.epoch) return 'epoch-changed'
    if (!this.#holds(key, token, now)) return 'lease-lost'
    if (tags.some((tag) => this.#stamps.isNewer(tag, sequence))) return 'tag-changed'
    return undefined
  }
}
