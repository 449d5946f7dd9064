import type {
  Fence,
  FruitlessLoads,
  LeaseRequest,
  LoadEnd,
  ReadReply,
  ReadRequest,
  StampMode,
  StoredRecord,
  WriteReply,
  WriteRequest,
} from '../contracts/store.ts'
import { ExpiringMap } from './expiring-map.ts'
import { FruitlessTable } from './fruitless-table.ts'
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
  readonly #fruitless = new FruitlessTable()
  readonly #stamps = new StampTable(MAX_STAMPS)
  #sequence = 0

  constructor(epoch: number, maxEntries: number) {
    this.epoch = epoch
    this.#entries = new ExpiringMap(maxEntries)
  }

  get sequence(): number {
    return this.#sequence
  }

  read({ keys, tags, lease, known }: ReadRequest, now: number): ReadReply {
    const entries = keys.map((key) => this.#entries.get(key, now))
    const leases = keys.map((key, at) => lease && this.#lease(key, entries[at], lease, now))
    const position = { sequence: this.#sequence, epoch: this.epoch }
    return {
      records: entries.map(
        (entry, at) => entry && sent(entry.record, known?.versions[at], known?.bytes),
      ),
      leases,
      ...(lease ? { fruitless: this.#fruitlessOf(keys, leases, now) } : {}),
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
    this.#fruitless.delete(key)
    this.#leases.delete(key)
    return { stored: true, version }
  }

  delete(keys: readonly string[]): void {
    this.#sequence++
    for (const key of keys) {
      this.#fruitless.delete(key)
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
    if (ours) this.#grant(key, token, ms, now)
    return ours
  }

  /** Whether there was a lease of ours to give back. */
  release(key: string, token: string, end: LoadEnd, now: number): boolean {
    const ours = this.#holds(key, token, now)
    if (ours) {
      this.#leases.delete(key)
      this.#fruitless.note(key, end, now)
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
    this.#grant(key, token, ms, now)
    return 'granted'
  }

  #grant(key: string, token: string, ms: number, now: number): void {
    this.#leases.set(key, { token, until: now + ms }, now)
    this.#fruitless.keep(key, ms, now)
  }

  #fruitlessOf(
    keys: readonly string[],
    leases: ReadReply['leases'],
    now: number,
  ): (FruitlessLoads | undefined)[] {
    return keys.map((key, at) => (leases[at] ? this.#fruitless.get(key, now) : undefined))
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

/** Of a record that the caller has, only what it asked for. */
function sent(record: StoredRecord, known: number | undefined, bytes = 0): StoredRecord {
  if (known !== record.version) return record
  return { ...record, bytes: record.bytes.subarray(0, bytes) }
}
