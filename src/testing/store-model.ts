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
  readonly #leasing: boolean
  readonly #entries = new Map<string, ModelEntry>()
  readonly #leases = new Map<string, ModelLease>()
  /** Of each tag what it was stamped as. */
  readonly #stamps = new Map<string, Partial<Stamp>>()

  constructor(leasing: boolean) {
    this.#leasing = leasing
  }

  entry(name: string, now: number): ModelEntry | undefined {
    const entry = this.#entries.get(name)
    return entry && now < entry.keepUntil ? entry : undefined
  }

  /** What was never stamped in a mode is as it is seen: stores may differ in that number. */
  stamp(tag: string, seen: Stamp): Stamp {
    return { ...seen, ...this.#stamps.get(tag) }
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
      const { hard = 0, soft = 0 } = this.#stamps.get(tag) ?? {}
      return Math.max(hard, soft) > sequence
    })
    if (changed) reasons.push('tag-changed')
    return reasons
  }

  stored(name: string, entry: ModelEntry): void {
    this.#entries.set(name, entry)
    this.#leases.delete(name)
  }

  deleted(names: readonly string[]): void {
    for (const name of names) {
      this.#entries.delete(name)
      this.#leases.delete(name)
    }
  }

  stamped(tags: readonly string[], mode: StampMode, sequence: number): void {
    for (const tag of tags) this.#stamps.set(tag, { ...this.#stamps.get(tag), [mode]: sequence })
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
