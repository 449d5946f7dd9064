import type { Endpoint } from './discovery.ts'

/** `address` absent: it does not know a master of this name. */
export interface SentinelAnswer {
  readonly address?: Endpoint
  /** Replicas of it that are up, where it told. */
  readonly replicas?: number
}

export interface Verdict {
  /** Named by more than half of all sentinels there are, not only of those that answered. */
  readonly majority?: Endpoint
  /** What was named, most votes first. */
  readonly named: readonly Endpoint[]
  readonly answers: number
  /** Sentinels that answered, but do not know the master's name. */
  readonly unknown: number
  readonly replicas?: number
}

export const textOf = ({ host, port }: Endpoint): string => `${host}:${port}`

/** The votes of one round of questions. */
export class Ballot {
  readonly #voters: number
  readonly #votes = new Map<string, { readonly address: Endpoint; count: number }>()
  readonly #replicas = new Map<string, number>()
  #answers = 0
  #failed = 0
  #unknown = 0

  constructor(voters: number) {
    this.#voters = voters
  }

  answered({ address, replicas }: SentinelAnswer): void {
    this.#answers++
    if (!address) {
      this.#unknown++
      return
    }
    const text = textOf(address)
    const vote = this.#votes.get(text)
    if (vote) vote.count++
    else this.#votes.set(text, { address, count: 1 })
    if (replicas !== undefined) {
      this.#replicas.set(text, Math.max(replicas, this.#replicas.get(text) ?? 0))
    }
  }

  failed(): void {
    this.#failed++
  }

  get complete(): boolean {
    return this.#answers + this.#failed >= this.#voters
  }

  get verdict(): Verdict {
    const votes = [...this.#votes.values()].sort((a, b) => b.count - a.count)
    const first = votes[0]
    const isMajority = first !== undefined && first.count * 2 > this.#voters
    const replicas = first && this.#replicas.get(textOf(first.address))
    return {
      ...(isMajority && { majority: first.address }),
      named: votes.map((vote) => vote.address),
      answers: this.#answers,
      unknown: this.#unknown,
      ...(replicas !== undefined && { replicas }),
    }
  }
}
