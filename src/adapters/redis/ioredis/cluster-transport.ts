import type { Cluster } from 'ioredis'
import type { Timer } from '../../../contracts/clock.ts'
import type {
  BusKind,
  Command,
  Lineage,
  OpenTransport,
  Reply,
  Transport,
  TransportEvents,
  TransportState,
  TransportWorld,
} from '../transport.ts'
import { ClusterBus } from './cluster-bus.ts'
import { ClusterLineage } from './cluster-lineage.ts'
import type { ClusterNode } from './cluster-node.ts'
import { ClusterSender } from './cluster-send.ts'
import { broughtNodes, type NodeSource, ownNodes } from './cluster-source.ts'
import { ClusterTopology } from './cluster-topology.ts'
import { asUnavailable, ConnectionFault } from './redis-errors.ts'
import type { Settings } from './settings.ts'

/** How long a node that is down may keep the others from being used at the start. */
const PATIENCE_MS = 500
/** First version with sharded channels. */
const SHARDED_VERSION = 7
/** Share of the slots with which a cluster is not called suspect. */
const ENOUGH = 0.5

/**
 * A transport to a Redis Cluster: to `target.nodes`, over connections of its own, or through the
 * `Cluster` of ioredis 5.9 or 6 that the target brings, which is used as it is and never closed.
 */
export function openClusterTransport(settings: Settings): OpenTransport {
  return (world, events) => {
    const { target } = settings
    const source =
      target.kind === 'client'
        ? broughtNodes(target.client as Cluster)
        : ownNodes(settings, world.clock)
    return new ClusterTransport(world, events, source)
  }
}

class ClusterTransport implements Transport {
  readonly isClustered = true
  bus: BusKind = 'plain'
  readonly #world: TransportWorld
  readonly #events: TransportEvents
  readonly #source: NodeSource
  readonly #topology: ClusterTopology
  readonly #sender: ClusterSender
  readonly #bus: ClusterBus
  readonly #lineage = new ClusterLineage()
  #state: TransportState['state'] = 'connecting'
  #partial: { readonly partial: Error } | undefined
  #wasReady = false
  #isPlanned = false
  #patientUntil: number | undefined
  #patience: Timer | undefined
  #isClosed = false

  constructor(world: TransportWorld, events: TransportEvents, source: NodeSource) {
    this.#world = world
    this.#events = events
    this.#source = source
    this.#topology = new ClusterTopology(world, source, {
      onConnected: (node) => {
        const id = this.#topology.table?.idOf(node.address)
        if (id === undefined) this.#topology.refresh(node.address)
        else if (node.isAdmitted) this.#lineage.note({ id, address: node.address }, node.info ?? {})
        this.#plan()
      },
      onLost: (node) => {
        this.#lineage.lost(node.address, world.clock.now())
        this.#topology.look()
        this.#plan()
      },
      onChange: () => {
        this.#topology.look()
        this.#plan()
      },
      onTable: () => {
        this.#serve()
        this.#bus.regroup()
        this.#plan()
      },
    })
    this.#sender = new ClusterSender(world, this.#topology)
    this.#bus = new ClusterBus(world, source, this.#topology, events)
    this.#topology.start()
  }

  nodeOf(hashTag: string): string {
    return this.#topology.ownerOf(hashTag) ?? ''
  }

  send(node: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    return this.#sender.send(node, commands)
  }

  subscribe(channels: readonly string[]): void {
    this.#bus.listen(channels, this.bus)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#world.clock.clearTimeout(this.#patience)
    this.#bus.close()
    this.#topology.close()
  }

  /** What happens to several nodes at once is told once. */
  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#world.clock.immediate(() => {
      this.#isPlanned = false
      if (!this.#isClosed) this.#judge()
    })
  }

  #judge(): void {
    const owners = this.#topology.owners()
    const serving = owners.filter((node) => node.isConnected && !node.isDead)
    if (serving.length === 0 || this.#topology.failure !== undefined) this.#tellDown()
    else if (serving.length === owners.length || !this.#isPatient()) this.#tellServing(serving)
  }

  #tellServing(serving: readonly ClusterNode[]): void {
    const strangers = serving.filter((node) => !node.isAdmitted)
    const stale = strangers.filter((node) => !node.isFresh)
    for (const node of stale) void node.look()
    if (stale.length > 0 && !this.#wasReady) return
    // A replica that is on its way to be the master does not call itself so yet.
    const fresh = strangers.filter(
      ({ address, isFresh, info }) =>
        isFresh && info?.role !== 'slave' && this.#topology.table?.idOf(address) !== undefined,
    )
    const isBack = this.#state !== 'ready' && serving.some((node) => node.isAdmitted)
    if (fresh.length > 0 || isBack) this.#tellReady(fresh)
    else if (this.#state === 'ready') this.#tellPartial()
  }

  #isPatient(): boolean {
    if (this.#wasReady) return false
    const { clock } = this.#world
    const now = clock.now()
    if (this.#patientUntil === undefined) {
      this.#patientUntil = now + PATIENCE_MS
      this.#patience = clock.setTimeout(() => this.#plan(), PATIENCE_MS, { unref: true })
    }
    return now < this.#patientUntil
  }

  #tellReady(fresh: readonly ClusterNode[]): void {
    const lineage = this.#lineageOf(fresh)
    for (const node of fresh) node.admit()
    this.#serve()
    this.#wasReady = true
    this.#state = 'ready'
    this.bus = this.#busKind()
    this.#bus.regroup()
    this.#partial = this.#findPartial()
    const { source } = this.#source
    this.#events.onState({ state: 'ready', source, lineage, ...this.#partial })
  }

  #tellPartial(): void {
    const partial = this.#findPartial()
    if ((partial === undefined) === (this.#partial === undefined)) return
    this.#partial = partial
    this.#events.onState({ state: 'ready', source: this.#source.source, ...partial })
  }

  /** Where most slots are out of reach. */
  #findPartial(): { readonly partial: Error } | undefined {
    const owners = this.#topology.owners()
    const usable = new Set(owners.filter((node) => node.isUsable).map((node) => node.address))
    if ((this.#topology.table?.shareOf(usable) ?? 0) > ENOUGH) return undefined
    const cause = owners.find((node) => !node.isUsable && node.error)?.error
    const message = `Only ${usable.size} of ${owners.length} masters of the Redis cluster can be used, and most slots are not served: check the other nodes, and the way to them.`
    return { partial: asUnavailable(new ConnectionFault('passing', message, cause)) }
  }

  #lineageOf(fresh: readonly ClusterNode[]): Lineage {
    const { table } = this.#topology
    if (!table) return 'other'
    const now = this.#world.clock.now()
    // All of them are told to the lineage, whatever the first one says.
    const pasts = fresh.map(({ address, info }) =>
      this.#lineage.accept({ id: table.idOf(address) ?? '', address }, info ?? {}, table, now),
    )
    if (!this.#wasReady) return 'first'
    return pasts.includes('other') ? 'other' : 'same'
  }

  #serve(): void {
    const { table } = this.#topology
    if (!table) return
    const admitted = this.#topology.owners().filter((node) => node.isAdmitted)
    this.#lineage.serve(new Set(admitted.map((node) => node.address)), table)
  }

  #busKind(): BusKind {
    const versions = this.#topology
      .owners()
      .filter((node) => node.isConnected)
      .map((node) => Number.parseInt(node.info?.redis_version ?? '0', 10))
    return versions.every((version) => version >= SHARDED_VERSION) ? 'sharded' : 'plain'
  }

  #tellDown(): void {
    const errors = [...this.#topology.nodes].map((node) => node.error)
    const cause = errors.find((error) => error !== undefined)
    const hasNobodyLeft = cause !== undefined && errors.every((error) => error !== undefined)
    const { failure } = this.#topology
    const isCertain = hasNobodyLeft || failure !== undefined
    if (this.#state === 'down' || (this.#state === 'connecting' && !isCertain)) return
    this.#state = 'down'
    const error = asUnavailable(failure === undefined ? (cause ?? silence()) : clusterDown(failure))
    this.#events.onState({ state: 'down', source: this.#source.source, error })
  }
}

function silence(): Error {
  return new ConnectionFault(
    'passing',
    'No node of the Redis cluster answers: check whether they run, and the network.',
  )
}

function clusterDown(failure: string): Error {
  return new ConnectionFault(
    'passing',
    `The Redis cluster serves nothing (CLUSTERDOWN), ${failure}: bring its masters back, or set cluster-require-full-coverage to no.`,
  )
}
