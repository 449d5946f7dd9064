import type { Timer } from '../../../contracts/clock.ts'
import type { TransportWorld } from '../transport.ts'
import { ClusterNode, type NodeWatcher } from './cluster-node.ts'
import { slotOf } from './cluster-slot.ts'
import { SlotTable } from './cluster-slot-table.ts'
import type { NodeSource } from './cluster-source.ts'
import { type ClusterView, isBetter, viewOf } from './cluster-view.ts'

export interface TopologyWatcher extends NodeWatcher {
  /** The slots were read anew, or one of them has moved. */
  onTable(): void
}

const REFRESH_MS = 30_000
/** While something is wrong: what has changed has to be seen within 100 ms. */
const DEGRADED_MS = 50
const LONGEST_DEGRADED_MS = 1000
/** The pace slackens with the time the trouble lasts: 100 ms after 20 s, a second after 200 s. */
const SLACKENING = 200
/** One node does not get to delay the answer that another one has. */
const ASK_DEADLINES = 2
/** A node without slots may be one that is about to get some. */
const IDLE_MS = 5000

/**
 * The nodes of the cluster and their slots. Slots are asked for over the connections that are there,
 * one node after another, so that a node that hangs costs nothing: the `Cluster` of ioredis opens a
 * new connection to a node taken at random each time, and waits a second when it is the wrong one.
 */
export class ClusterTopology {
  table: SlotTable | undefined
  /** Why no slot is served at present, as all nodes that answer see it. */
  failure: string | undefined
  readonly #world: TransportWorld
  readonly #source: NodeSource
  readonly #watcher: TopologyWatcher
  readonly #nodes = new Map<string, ClusterNode>()
  readonly #slots = new Map<string, number>()
  #timer: Timer | undefined
  #tickAt = Number.POSITIVE_INFINITY
  #degradedSince: number | undefined
  #isAsking = false
  #isAskedAgain = false
  #turn = 0
  #epoch = 0
  #isClosed = false

  constructor(world: TransportWorld, source: NodeSource, watcher: TopologyWatcher) {
    this.#world = world
    this.#source = source
    this.#watcher = watcher
  }

  start(): void {
    for (const address of this.#source.seeds()) this.node(address)
    this.#plan()
  }

  get nodes(): Iterable<ClusterNode> {
    return this.#nodes.values()
  }

  ownerOf(key: string): string | undefined {
    return this.table?.ownerOf(this.#slotOf(key))
  }

  /** The nodes that have slots. */
  owners(): ClusterNode[] {
    return (this.table?.owners() ?? []).map((address) => this.node(address))
  }

  find(address: string): ClusterNode | undefined {
    return this.#nodes.get(address)
  }

  /** The node at this address, connecting to it if need be. */
  node(address: string): ClusterNode {
    const present = this.#nodes.get(address)
    if (present) return present
    const node = new ClusterNode(address, this.#world, this.#source, this.#watcher)
    this.#nodes.set(address, node)
    return node
  }

  /** A redirection is the word of the node that had the slot: it counts at once. */
  moved(slot: number, address: string): void {
    if (this.table?.ownerOf(slot) !== address) {
      this.table?.move(slot, address)
      this.#watcher.onTable()
    }
    this.refresh(address)
  }

  /** Asks for the slots, `first` before others. Calls while it is asked make one more round. */
  refresh(first?: string): void {
    if (this.#isClosed) return
    if (this.#isAsking) {
      this.#isAskedAgain = true
      return
    }
    this.#isAsking = true
    void this.#ask(first).finally(() => {
      this.#isAsking = false
      this.#plan()
    })
  }

  /** Something is wrong with a node: look again soon. */
  look(): void {
    if (!this.#isAsking) this.#plan()
  }

  close(): void {
    this.#isClosed = true
    this.#world.clock.clearTimeout(this.#timer)
    for (const node of this.#nodes.values()) node.close()
    this.#nodes.clear()
  }

  #slotOf(key: string): number {
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      slot = slotOf(key)
      this.#slots.set(key, slot)
    }
    return slot
  }

  #plan(): void {
    if (this.#isClosed) return
    const { clock, random } = this.#world
    const now = clock.now()
    this.#degradedSince = this.#isDegraded() ? (this.#degradedSince ?? now) : undefined
    const ms = this.#isAskedAgain ? DEGRADED_MS / 2 : this.#pause(now)
    this.#isAskedAgain = false
    const jittered = ms * (0.8 + 0.2 * random())
    // Never later than planned: nodes that fail faster than that would put it off for ever.
    if (now + jittered >= this.#tickAt) return
    clock.clearTimeout(this.#timer)
    this.#tickAt = now + jittered
    this.#timer = clock.setTimeout(() => this.#tick(), jittered, { unref: true })
  }

  #pause(now: number): number {
    if (this.#degradedSince === undefined) return REFRESH_MS
    const lasted = now - this.#degradedSince
    return Math.min(LONGEST_DEGRADED_MS, Math.max(DEGRADED_MS, lasted / SLACKENING))
  }

  #isDegraded(): boolean {
    if (!this.table?.isComplete || this.failure !== undefined) return true
    return this.owners().some((node) => !node.isUsable)
  }

  #tick(): void {
    this.#tickAt = Number.POSITIVE_INFINITY
    this.#dropReplaced()
    // What a node says of itself changes while it is connected, and is needed when it is succeeded.
    if (!this.#isDegraded()) for (const node of this.owners()) void node.look()
    this.refresh()
  }

  /** A user's client makes new connections as it sees fit. */
  #dropReplaced(): void {
    for (const node of this.#nodes.values()) {
      if (!node.isCurrent) this.#drop(node)
    }
  }

  #drop(node: ClusterNode): void {
    this.#nodes.delete(node.address)
    node.close()
  }

  async #ask(first: string | undefined): Promise<void> {
    const candidates = this.#candidates(first)
    if (candidates.length === 0) this.#scout()
    let best: ClusterView | undefined
    for (const node of candidates) {
      const view = await this.#askOne(node)
      if (this.#isClosed) return
      if (view && isBetter(view, best)) best = view
      if (best && best.failure === undefined && best.epoch >= this.#epoch) break
    }
    if (best) this.#take(best)
    else if (candidates.length > 0) this.#scout()
  }

  #candidates(first: string | undefined): ClusterNode[] {
    const connected = [...this.#nodes.values()].filter((node) => node.isConnected && !node.isDead)
    const start = this.#turn++ % Math.max(1, connected.length)
    const turned = [...connected.slice(start), ...connected.slice(0, start)]
    return turned.sort((a, b) => Number(b.address === first) - Number(a.address === first))
  }

  /** Nobody can be asked: try everybody who was ever part of it. */
  #scout(): void {
    for (const address of [...(this.table?.known ?? []), ...this.#source.seeds()])
      this.node(address)
  }

  async #askOne(node: ClusterNode): Promise<ClusterView | undefined> {
    const { clock, timeoutMs } = this.#world
    const limit = new Promise<undefined>((resolve) => {
      const ms = ASK_DEADLINES * timeoutMs
      clock.setTimeout(() => clock.immediate(() => resolve(undefined)), ms, { unref: true })
    })
    try {
      const questions = [
        ['cluster', 'SLOTS'],
        ['cluster', 'INFO'],
      ]
      const replies = await Promise.race([node.send(questions), limit])
      const reply = replies?.[0]
      if (!Array.isArray(reply) || reply.length === 0) return undefined
      const table = SlotTable.parse(reply, node.address, (one) => this.#source.translate(one))
      return viewOf(table, replies?.[1])
    } catch {
      return undefined
    }
  }

  #take({ table, epoch, failure }: ClusterView): void {
    this.table = table
    this.#epoch = epoch
    this.failure = failure
    const owners = new Set(this.owners())
    this.#watcher.onTable()
    const now = this.#world.clock.now()
    // Whoever has no slots is of use only as long as nobody else can be asked.
    if (![...owners].some((node) => node.isConnected)) return
    for (const node of this.#nodes.values()) {
      const isIdle = node.pending === 0 && now - node.lastUsedAt > IDLE_MS
      if (!owners.has(node) && isIdle) this.#drop(node)
    }
  }
}
