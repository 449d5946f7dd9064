import type { Command, Reply, TransportWorld } from '../transport.ts'
import { SLOTS } from './cluster-slot.ts'
import type { ClusterTopology } from './cluster-topology.ts'
import { asUnavailable, ConnectionFault } from './redis-errors.ts'

const REDIRECTIONS = 3
const TRY_AGAIN_MS = 5

interface Redirection {
  readonly kind: 'MOVED' | 'ASK' | 'TRYAGAIN'
  readonly address: string
  readonly slot: number
}

/** A command on its way. */
class Trip {
  readonly command: Command
  cameFrom: string
  reply: Reply
  redirections = 0

  constructor(command: Command, cameFrom: string, reply: Reply) {
    this.command = command
    this.cameFrom = cameFrom
    this.reply = reply
  }
}

/**
 * Sends commands to a node and follows them where their slots have gone. It is done here because the
 * client's cluster pipelines follow only when all their commands failed with the same error: those of
 * one moved slot among others would come back as errors.
 */
export class ClusterSender {
  readonly #world: TransportWorld
  readonly #topology: ClusterTopology

  constructor(world: TransportWorld, topology: ClusterTopology) {
    this.#world = world
    this.#topology = topology
  }

  async send(address: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    const node = this.#topology.find(address)
    if (!node?.isUsable) {
      this.#topology.look()
      throw node ? node.unavailable() : noNode()
    }
    const until = this.#world.clock.now() + this.#world.timeoutMs
    const replies = await node.send(commands)
    const isDone = !replies.some((reply) => reply instanceof Error && this.#needsCare(reply))
    return isDone ? replies : this.#follow(address, commands, replies, until)
  }

  #needsCare(error: Error): boolean {
    if (error.message.startsWith('CLUSTERDOWN')) this.#topology.refresh()
    return redirectionOf(error, '') !== undefined
  }

  async #follow(
    address: string,
    commands: readonly Command[],
    first: readonly Reply[],
    until: number,
  ): Promise<readonly Reply[]> {
    const trips = commands.map((command, at) => new Trip(command, address, first[at] as Reply))
    for (;;) {
      const groups = this.#nextHops(trips, until)
      if (groups.size === 0) break
      const hops = [...groups].map(([hop, members]) => this.#hop(hop, members, until))
      await Promise.all(hops)
    }
    return trips.map((trip) => trip.reply)
  }

  /** A redirection is followed even if it comes late: what it does counts, whoever still waits. */
  #nextHops(trips: readonly Trip[], until: number): Map<string, Trip[]> {
    const groups = new Map<string, Trip[]>()
    const isLate = this.#world.clock.now() >= until
    for (const trip of trips) {
      const next = redirectionOf(trip.reply, trip.cameFrom)
      if (!next || trip.redirections >= REDIRECTIONS) continue
      if (next.kind === 'TRYAGAIN' && isLate) continue
      if (next.kind !== 'TRYAGAIN') trip.redirections++
      if (next.kind === 'MOVED') this.#topology.moved(next.slot, next.address)
      const hop = `${next.kind} ${next.address}`
      groups.set(hop, [...(groups.get(hop) ?? []), trip])
    }
    return groups
  }

  async #hop(hop: string, trips: readonly Trip[], until: number): Promise<void> {
    const [kind, target] = hop.split(' ') as [Redirection['kind'], string]
    const commands = trips.map((trip) => trip.command)
    const replies = await this.#resend(kind, target, commands, until)
    for (const [at, trip] of trips.entries()) {
      trip.reply = replies[at] as Reply
      trip.cameFrom = target
    }
  }

  /** Never throws: the commands that needed no following have their replies already. */
  async #resend(
    kind: Redirection['kind'],
    target: string,
    commands: readonly Command[],
    until: number,
  ): Promise<readonly Reply[]> {
    try {
      const node = this.#topology.node(target)
      const { clock } = this.#world
      if (kind === 'TRYAGAIN') await this.#pause(Math.min(TRY_AGAIN_MS, until - clock.now()))
      const left = until - clock.now()
      // Keys that are asked for have the past of the node they come from.
      const isThere = () => node.isConnected && (node.isAdmitted || kind === 'ASK')
      if (await node.until(isThere, left)) return await node.send(commands, kind === 'ASK')
      throw node.unavailable()
    } catch (error) {
      return commands.map(() => error as Error)
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.clock.setTimeout(resolve, ms)
    })
  }
}

function noNode(): Error {
  return asUnavailable(
    new ConnectionFault(
      'passing',
      'No node of the Redis cluster is known to have the slot: check that all slots are assigned, and that the nodes run.',
    ),
  )
}

/** `from`: the node that replied, which an address without host refers to. */
function redirectionOf(reply: Reply, from: string): Redirection | undefined {
  if (!(reply instanceof Error)) return undefined
  const [kind, slotText, address] = reply.message.split(' ')
  if (kind === 'TRYAGAIN') return { kind, address: from, slot: -1 }
  if ((kind !== 'MOVED' && kind !== 'ASK') || !address) return undefined
  const slot = Number(slotText)
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS) return undefined
  const host = from.slice(0, from.lastIndexOf(':'))
  return { kind, slot, address: address.startsWith(':') ? `${host}${address}` : address }
}
