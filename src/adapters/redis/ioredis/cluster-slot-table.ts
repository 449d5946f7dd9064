import type { Reply } from '../transport.ts'
import { SLOTS } from './cluster-slot.ts'

/** Which node has which slot, as one node said, or as a redirection corrected it. */
export class SlotTable {
  readonly #owners: (string | undefined)[]
  /** Masters and replicas: whoever may know of the cluster when the masters are gone. */
  readonly known: ReadonlySet<string>
  /** By address; the id of a node is the cluster's name for it. */
  readonly #ids: ReadonlyMap<string, string>
  #ownerSet: Set<string | undefined> | undefined

  private constructor(owners: (string | undefined)[], ids: ReadonlyMap<string, string>) {
    this.#owners = owners
    this.#ids = ids
    this.known = new Set(ids.keys())
  }

  /**
   * @param reply of `CLUSTER SLOTS`
   * @param asked address of the node that replied: it may leave its own host out
   * @param translate from an address as the cluster has it to the one that is reached from here
   */
  static parse(reply: Reply, asked: string, translate: (address: string) => string): SlotTable {
    const owners: (string | undefined)[] = new Array(SLOTS)
    const ids = new Map<string, string>()
    const ownHost = asked.slice(0, asked.lastIndexOf(':'))
    for (const range of asList(reply)) {
      const [from, to, ...nodes] = asList(range)
      const addresses = nodes.map((node) => translate(addressOf(asList(node), ownHost)))
      for (const [at, address] of addresses.entries())
        ids.set(address, String(asList(nodes[at])[2]))
      owners.fill(addresses[0], Number(from), Number(to) + 1)
    }
    return new SlotTable(owners, ids)
  }

  ownerOf(slot: number): string | undefined {
    return this.#owners[slot]
  }

  /** Unknown of an address that only a redirection has told of. */
  idOf(address: string): string | undefined {
    return this.#ids.get(address)
  }

  addressesOf(id: string): string[] {
    return [...this.#ids].filter(([, one]) => one === id).map(([address]) => address)
  }

  isOwner(address: string): boolean {
    return this.#distinct().has(address)
  }

  /** Of all slots. */
  shareOf(addresses: ReadonlySet<string>): number {
    return (
      this.#owners.filter((owner) => owner !== undefined && addresses.has(owner)).length / SLOTS
    )
  }

  move(slot: number, address: string): void {
    this.#owners[slot] = address
    this.#ownerSet = undefined
  }

  owners(): string[] {
    return [...this.#distinct()].filter((owner) => owner !== undefined)
  }

  get isComplete(): boolean {
    return !this.#distinct().has(undefined)
  }

  /** Asked for often, and slots are many. */
  #distinct(): Set<string | undefined> {
    this.#ownerSet ??= new Set(this.#owners)
    return this.#ownerSet
  }
}

function asList(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : []
}

function addressOf([host, port]: readonly Reply[], ownHost: string): string {
  const name = host ? String(host) : ''
  return `${name === '' || name === '?' ? ownHost : name}:${port}`
}
