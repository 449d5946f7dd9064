import type { Timer } from '../../../contracts/clock.ts'
import type { BusKind, TransportEvents, TransportWorld } from '../transport.ts'
import type { NodeSource } from './cluster-source.ts'
import { ClusterSubscriber } from './cluster-subscriber.ts'
import type { ClusterTopology } from './cluster-topology.ts'

const RETRY_MS = 25
const RETRY_SPREAD_MS = 55
const LONGEST_RETRY_MS = 1000
/** Somebody has to change the rules first. */
const DENIED_MS = 5000
const DENIED_SPREAD_MS = 5000

/**
 * The subscription of one cache. Plain: one connection to any node, since the nodes pass on what is
 * published. Sharded: one to each node that has slots of channels; they are kept here, as the
 * client's own group of sharded subscribers does not tell when a subscription has begun anew.
 */
export class ClusterBus {
  readonly #world: TransportWorld
  readonly #source: NodeSource
  readonly #topology: ClusterTopology
  readonly #events: TransportEvents
  readonly #subscribers = new Map<string, ClusterSubscriber>()
  /** Nodes whose subscriptions are about to begin: all of them are told in one. */
  readonly #beginning = new Set<string>()
  #hasBegun = false
  /** On some node, so that what is heard of the others is not all there is. */
  #isDenied = false
  #channels: readonly string[] = []
  #kind: BusKind = 'plain'
  #retry: Timer | undefined
  #losses = 0
  #isClosed = false

  constructor(
    world: TransportWorld,
    source: NodeSource,
    topology: ClusterTopology,
    events: TransportEvents,
  ) {
    this.#world = world
    this.#source = source
    this.#topology = topology
    this.#events = events
  }

  listen(channels: readonly string[], kind: BusKind): void {
    if (kind !== this.#kind) this.#closeAll()
    this.#channels = channels
    this.#kind = kind
    this.regroup()
  }

  /** Slots have moved, or nodes have come or gone: everybody listens to what is theirs. */
  regroup(): void {
    if (this.#isClosed || this.#retry) return
    const groups = this.#groups()
    for (const [address, subscriber] of this.#subscribers) {
      if (!groups.has(address)) this.#close(address, subscriber)
    }
    for (const [address, channels] of groups) this.#subscriber(address)?.listen(channels)
  }

  close(): void {
    this.#isClosed = true
    this.#world.clock.clearTimeout(this.#retry)
    this.#closeAll()
  }

  #groups(): Map<string, Set<string>> {
    const groups = new Map<string, Set<string>>()
    if (this.#channels.length === 0) return groups
    const plain = this.#kind === 'plain' ? this.#anyNode() : undefined
    for (const channel of this.#channels) {
      const address = this.#kind === 'plain' ? plain : this.#topology.ownerOf(channel)
      if (address === undefined) continue
      const group = groups.get(address) ?? new Set()
      groups.set(address, group.add(channel))
    }
    return groups
  }

  /** The node that is listened to already, as long as it is part of the cluster. */
  #anyNode(): string | undefined {
    const nodes = this.#topology.owners().filter((node) => node.isConnected && !node.isDead)
    const present = nodes.find((node) => this.#subscribers.has(node.address))
    return (present ?? nodes[Math.floor(this.#world.random() * nodes.length)])?.address
  }

  #subscriber(address: string): ClusterSubscriber | undefined {
    const present = this.#subscribers.get(address)
    // The loss of a node is learnt of sooner by its data connections.
    if (present || !this.#topology.node(address).isConnected) return present
    const client = this.#source.subscriber(address)
    if (!client) return undefined
    const subscriber = new ClusterSubscriber(client, this.#kind === 'sharded', this.#world.clock, {
      onMessage: (channel, payload) => this.#events.onMessage(channel, payload),
      onSubscribed: () => {
        this.#losses = 0
        this.#hasBegun = true
        this.#begun(address)
      },
      onMoved: () => {
        this.#topology.refresh()
        this.#regroupLater(RETRY_MS)
      },
      onDenied: (error) => {
        this.#isDenied = true
        this.#close(address, subscriber)
        this.#events.onDenied?.(error)
        this.#regroupLater(DENIED_MS + this.#world.random() * DENIED_SPREAD_MS)
      },
      onLost: () => {
        this.#subscribers.delete(address)
        this.#begun(address)
        this.#losses++
        const ms = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(10, this.#losses - 1))
        this.#regroupLater(ms + this.#world.random() * RETRY_SPREAD_MS)
      },
    })
    this.#subscribers.set(address, subscriber)
    this.#beginning.add(address)
    return subscriber
  }

  #begun(address: string): void {
    this.#beginning.delete(address)
    if (this.#beginning.size > 0 || !this.#hasBegun || this.#isDenied) return
    this.#hasBegun = false
    this.#events.onSubscribed()
  }

  #regroupLater(ms: number): void {
    if (this.#isClosed || this.#retry) return
    const regroup = () => {
      this.#retry = undefined
      this.#isDenied = false
      this.regroup()
    }
    this.#retry = this.#world.clock.setTimeout(regroup, ms, { unref: true })
  }

  #close(address: string, subscriber: ClusterSubscriber): void {
    this.#subscribers.delete(address)
    subscriber.close()
    this.#begun(address)
  }

  #closeAll(): void {
    this.#beginning.clear()
    this.#hasBegun = false
    for (const subscriber of this.#subscribers.values()) subscriber.close()
    this.#subscribers.clear()
  }
}
