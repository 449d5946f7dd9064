import type { Fence, Stamp, StampMode } from '../contracts/store.ts'

interface ModelEntry {
  readonly content: string
  readonly version: number
  readonly freshUntil: number
  readonly keepUntil: number
}

interface ModelLease {
  readonly token: string
  readonly until: number
}

export interface ModelLeaseRequest {
  readonly token: string
  readonly ms: number
  readonly when: 'stale' | 'always'
}

/**
 * The store contract as plainly as it can be written, without bounds, bus or speed. The sequence
 * numbers are those that the store under test gave; the model only says what follows from them.
 */
export class StoreModel {
  sequence = 0
  readonly #leasing: boolean
  readonly #entries = new Map<string, ModelEntry>()
  readonly #leases = new Map<string, ModelLease>()
  readonly #stamps = new Map<string, Stamp>()

  constructor(leasing: boolean) {
    this.#leasing = leasing
  }

  entry(name: string, now: number): ModelEntry | undefined {
    const entry = this.#entries.get(name)
    return entry && now < entry.keepUntil ? entry : undefined
  }

  /** A tag without a stamp takes the one it is first read as: stores may differ in that number. */
  stamp(tag: string, firstSeen: Stamp): Stamp {
    const stamp = this.#stamps.get(tag) ?? firstSeen
    this.#stamps.set(tag, stamp)
    return stamp
  }

  lease(name: string, { token, ms, when }: ModelLeaseRequest, now: number) {
    const entry = this.entry(name, now)
    const needed = when === 'always' || !entry || now >= entry.freshUntil
    if (!this.#leasing || !needed) return undefined
    const holder = this.#holder(name, now)
    if (holder !== undefined && holder !== token) return 'held'
    this.#leases.set(name, { token, until: now + ms })
    return 'granted'
  }

  holds(name: string, token: string | undefined, now: number): boolean {
    return token !== undefined && this.#holder(name, now) === token
  }

  /** Why a commit must be refused: all the reasons there are, since stores may check in any order. */
  refusals(name: string, { token, sequence, tags }: Fence, now: number): string[] {
    const reasons: string[] = []
    if (this.#leasing && !this.holds(name, token, now)) reasons.push('lease-lost')
    const changed = tags.some((tag) => {
      const { hard, soft } = this.#stamps.get(tag) ?? { hard: 0, soft: 0 }
      return Math.max(hard, soft) > sequence
    })
    if (changed) reasons.push('tag-changed')
    return reasons
  }

  stored(name: string, entry: ModelEntry): void {
    this.sequence = entry.version
    this.#entries.set(name, entry)
    this.#leases.delete(name)
  }

  deleted(names: readonly string[], sequence: number): void {
    this.sequence = sequence
    for (const name of names) {
      this.#entries.delete(name)
      this.#leases.delete(name)
    }
  }

  stamped(tags: readonly string[], mode: StampMode, sequence: number): void {
    this.sequence = sequence
    for (const tag of tags) {
      const stamp = this.#stamps.get(tag) ?? { hard: 0, soft: 0 }
      this.#stamps.set(tag, { ...stamp, [mode]: sequence })
    }
  }

  renewed(name: string, token: string, ms: number, now: number): boolean {
    const ours = this.holds(name, token, now)
    if (ours) this.#leases.set(name, { token, until: now + ms })
    return ours
  }

  released(name: string, token: string, now: number): boolean {
    const ours = this.holds(name, token, now)
    if (ours) this.#leases.delete(name)
    return ours
  }

  #holder(name: string, now: number): string | undefined {
    const lease = this.#leases.get(name)
    return lease && now < lease.until ? lease.token : undefined
  }
}
