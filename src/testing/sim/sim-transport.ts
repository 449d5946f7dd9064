import { crc32 } from 'node:zlib'
import type {
  Command,
  Lineage,
  Reply,
  Transport,
  TransportEvents,
} from '../../adapters/redis/transport.ts'
import { type ConnectionWorld, SimConnection } from './sim-connection.ts'

const CLUSTER_NODES = 3
const FIRST_RETRY_MS = 25
const LAST_RETRY_MS = 400
/** How long an attempt to connect waits for an answer. */
const CONNECT_MS = 300

type Kind = 'data' | 'bus'

/** The two connections of one simulated process to the simulated Redis, kept alive like real ones. */
export class SimTransport implements Transport {
  readonly isClustered: boolean
  readonly bus = 'plain'
  /** Commands sent so far. */
  sent = 0
  /** A connection was lost or made. */
  onTrouble: (kind: 'data' | 'bus') => void = () => {}
  readonly #world: ConnectionWorld
  readonly #random: () => number
  readonly #events: TransportEvents
  readonly #connections = new Map<Kind, SimConnection>()
  readonly #retries = { data: FIRST_RETRY_MS, bus: FIRST_RETRY_MS }
  #channels: readonly string[] = []
  #known: number | undefined
  #isClosed = false

  constructor(world: ConnectionWorld, random: () => number, events: TransportEvents) {
    this.#world = world
    this.isClustered = world.isClustered
    this.#random = random
    this.#events = events
    world.link.onCut = () => {
      for (const connection of this.#connections.values()) {
        connection.break(new Error('the connection was reset'))
      }
    }
    this.#connect('data')
    this.#connect('bus')
  }

  get isConnected(): boolean {
    return this.#isOpen('data') && this.#isOpen('bus')
  }

  get isDataConnected(): boolean {
    return this.#isOpen('data')
  }

  /** All nodes have one fate, but what is sent to each is a batch of its own, in a time of its own. */
  nodeOf(hashTag: string): string {
    return this.isClustered ? `master ${crc32(hashTag) % CLUSTER_NODES}` : 'master'
  }

  async send(_node: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    this.sent += commands.length
    const connection = this.#connections.get('data')
    if (!connection?.isOpen) throw new Error('there is no connection')
    return connection.send(commands)
  }

  subscribe(channels: readonly string[]): void {
    this.#channels = channels
    this.#subscribe()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const connection of this.#connections.values()) {
      if (connection.isOpen) connection.break(new Error('the transport was closed'))
    }
  }

  #isOpen(kind: Kind): boolean {
    return this.#connections.get(kind)?.isWell === true
  }

  #connect(kind: Kind): void {
    const { time, link, redis, owner } = this.#world
    const mode = link[kind]
    const isReachable = (): boolean =>
      !redis.isDown && (link[kind] === 'ok' || link[kind] === 'slow')
    const ms = mode === 'dead' || mode === 'mute' ? CONNECT_MS : 2 * link.delay(mode)
    const onEnd = (): void => {
      if (this.#isClosed) return
      if (isReachable()) this.#connected(kind)
      else this.#retry(kind)
    }
    time.after(ms, onEnd, owner)
  }

  #retry(kind: Kind): void {
    if (this.#isClosed) return
    const { time, owner } = this.#world
    const ms = this.#retries[kind] * (0.5 + 0.5 * this.#random())
    this.#retries[kind] = Math.min(LAST_RETRY_MS, 2 * this.#retries[kind])
    time.after(ms, () => this.#isClosed || this.#connect(kind), owner)
  }

  #connected(kind: Kind): void {
    this.#retries[kind] = FIRST_RETRY_MS
    this.onTrouble(kind)
    const connection = new SimConnection(this.#world, kind, (error) => this.#lost(kind, error))
    this.#connections.set(kind, connection)
    if (kind === 'bus') {
      this.#subscribe()
      return
    }
    this.#events.onState({ state: 'ready', source: 'standalone', lineage: this.#lineage() })
  }

  #lost(kind: Kind, error: Error): void {
    if (this.#isClosed) return
    this.onTrouble(kind)
    if (kind === 'data') this.#events.onState({ state: 'down', source: 'standalone', error })
    this.#retry(kind)
  }

  #lineage(): Lineage {
    const { identity, formerIdentity } = this.#world.redis
    const known = this.#known
    this.#known = identity
    if (known === undefined) return 'first'
    return known === identity || known === formerIdentity ? 'same' : 'other'
  }

  #subscribe(): void {
    const connection = this.#connections.get('bus')
    if (!connection?.isOpen || this.#channels.length === 0) return
    connection.subscribe(
      this.#channels,
      (channel, payload) => this.#events.onMessage(channel, payload),
      () => this.#events.onSubscribed(),
    )
  }
}
