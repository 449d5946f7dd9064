import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import type { Reply } from '../../adapters/redis/transport.ts'

export interface SlotOwner {
  readonly master: Endpoint
  readonly replicas: readonly Endpoint[]
  readonly ranges: readonly (readonly [from: number, to: number])[]
}

/**
 * The masters, by what CLUSTER SLOTS replied.
 * @param asked whose answer it is: a node that does not know its own address leaves it out
 */
export function parseSlots(reply: Reply, asked: Endpoint): readonly SlotOwner[] {
  if (!Array.isArray(reply)) return []
  const owners = new Map<
    string,
    { master: Endpoint; replicas: Endpoint[]; ranges: [number, number][] }
  >()
  for (const line of reply as readonly (readonly Reply[])[]) {
    const [from, to, first, ...others] = line
    const master = nodeOf(first, asked)
    if (!master) continue
    const name = `${master.host}:${master.port}`
    const owner = owners.get(name) ?? {
      master,
      replicas: others.map((one) => nodeOf(one, asked)).filter((one) => one !== undefined),
      ranges: [],
    }
    owner.ranges.push([Number(from), Number(to)])
    owners.set(name, owner)
  }
  return [...owners.values()]
}

export function ownsSlot({ ranges }: SlotOwner, slot: number): boolean {
  return ranges.some(([from, to]) => from <= slot && slot <= to)
}

function nodeOf(reply: Reply | undefined, asked: Endpoint): Endpoint | undefined {
  if (!Array.isArray(reply)) return undefined
  const host = reply[0] === null ? '' : String(reply[0])
  return { host: host === '' ? asked.host : host, port: Number(reply[1]) }
}
