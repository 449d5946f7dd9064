import type { Timer } from '../../../contracts/clock.ts'
import { ResilienceError } from '../../../kernel/errors.ts'
import type {
  Command,
  Lineage,
  OpenTransport,
  Reply,
  Transport,
  TransportEvents,
  TransportState,
  TransportWorld,
} from '../transport.ts'
import type { Candidate, Discovery, ServerInfo } from './discovery.ts'
import { LineageTrail } from './lineage.ts'
import type { Link } from './link.ts'
import { openLink } from './open-link.ts'
import { ReconnectDelay } from './reconnect-delay.ts'
import { asUnavailable, ConnectionFault, isWrongNode, kindOfFailure } from './redis-errors.ts'
import { refuseCluster } from './server-info.ts'
import type { Settings } from './settings.ts'
import { SpareLinks } from './spare-links.ts'
import { StateTeller } from './state-teller.ts'
import { type Heard, Subscriber } from './subscriber.ts'

/** Connections to one server at a time: the one that the discovery finds. */
export function openSingleTransport(
  settings: Settings,
  makeDiscovery: (world: TransportWorld) => Discovery,
): OpenTransport {
  return (world, events) => new SingleTransport(settings, makeDiscovery(world), world, events)
}

interface Server {
  readonly candidate: Candidate
  readonly link: Link
  readonly readyAt: number
}

class SingleTransport implements Transport {
  readonly isClustered = false
  readonly bus = 'plain'
  readonly #settings: Settings
  readonly #discovery: Discovery
  readonly #world: TransportWorld
  readonly #teller: StateTeller
  readonly #subscriber: Subscriber
  readonly #spares: SpareLinks
  readonly #trail = new LineageTrail()
  readonly #delay: ReconnectDelay
  #server: Server | undefined
  #opening: Link | undefined
  /** What the discovery has said of a server, while that is being taken into use. */
  #accepting: Candidate | undefined
  #timer: Timer | undefined
  #isAttempting = false
  #hasMoved = false
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(
    settings: Settings,
    discovery: Discovery,
    world: TransportWorld,
    events: TransportEvents,
  ) {
    this.#settings = settings
    this.#discovery = discovery
    this.#world = world
    this.#teller = new StateTeller(events)
    this.#delay = new ReconnectDelay(world.random)
    this.#spares = new SpareLinks(world, settings.connections - 1)
    this.#subscriber = new Subscriber(world, events, () => this.#leave(elsewhere()))
    discovery.start({
      onMoved: () => this.#moved(),
      onSource: (candidate) => this.#sourceChanged(candidate),
      onError: (error) => this.#complaint(error),
    })
    // Whoever opens it has to have it in hand before the first event.
    queueMicrotask(() => void this.#attempt())
  }

  nodeOf(): string {
    return ''
  }

  async send(_node: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    const server = this.#server
    if (!server) throw this.#teller.error
    const link = this.#spares.next(server.link)
    try {
      const replies = await link.send(commands)
      for (const reply of replies) if (reply instanceof Error) this.#judge(server, reply)
      return replies
    } catch (error) {
      throw asUnavailable(error)
    }
  }

  subscribe(channels: readonly string[]): void {
    if (!this.#isClosed) this.#subscriber.subscribe(channels)
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#teller.stop()
    this.#world.clock.clearTimeout(this.#timer)
    this.#discovery.stop()
    const server = this.#server
    this.#server = undefined
    const opening = this.#opening
    opening?.destroy(closed())
    await Promise.all([
      this.#subscriber.close(),
      this.#spares.close(closed()),
      server?.link.end(),
      opening?.end(),
    ])
  }

  async #attempt(): Promise<void> {
    if (this.#isAttempting || this.#server || this.#isClosed) return
    this.#isAttempting = true
    this.#hasMoved = false
    this.#delay.attempted(this.#world.clock.now())
    let candidate: Candidate | undefined
    try {
      candidate = await this.#discovery.find()
      await this.#reach(candidate)
    } catch (error) {
      if (candidate && !this.#hasMoved && !this.#isClosed) {
        this.#discovery.refused(candidate, error as Error)
      }
      this.#later(error)
    } finally {
      this.#isAttempting = false
    }
  }

  async #reach(candidate: Candidate): Promise<void> {
    if (this.#isClosed) throw closed()
    const link = openLink(candidate, this.#settings, this.#world, 'resilient-cache', {
      onLoading: (error) => this.#teller.down(error),
      onEnd: (error) => this.#lost(link, error),
    })
    this.#opening = link
    try {
      const info = await link.opened
      const fault = refuseCluster(info) ?? this.#discovery.check(candidate, info)
      if (this.#hasMoved || this.#isClosed) throw elsewhere()
      if (fault) throw fault
      this.#use(candidate, link, info)
    } catch (error) {
      link.destroy(error as Error)
      throw error
    } finally {
      this.#opening = undefined
    }
  }

  #use(found: Candidate, link: Link, info: ServerInfo): void {
    // The discovery may know more of it by now than when it was found.
    this.#accepting = found
    this.#discovery.accepted(found, info)
    const candidate = this.#accepting
    this.#accepting = undefined
    const now = this.#world.clock.now()
    const address = `${candidate.host}:${candidate.port}`
    this.#server = { candidate, link, readyAt: now }
    this.#teller.ready(stateOf(candidate), this.#lineageOf(candidate, address, info))
    // Of whoever was told, somebody may have closed it.
    if (this.#isClosed) return
    const opener =
      (name: string): Heard['open'] =>
      (events) =>
        openLink(candidate, this.#settings, this.#world, name, events)
    this.#subscriber.follow({ address, info, open: opener('resilient-cache:bus') })
    this.#spares.start({ address, info, open: opener('resilient-cache') })
  }

  /** A server of last resort may hold what it held the last time it was one. */
  #lineageOf(candidate: Candidate, address: string, info: ServerInfo): Lineage {
    const lineage = this.#trail.arrive(address, info, this.#world.clock.now())
    return lineage === 'first' && candidate.maxKeepMs !== undefined ? 'other' : lineage
  }

  #later(error: unknown): void {
    if (this.#isClosed) return
    const now = this.#world.clock.now()
    let ms: number
    if (this.#hasMoved) {
      ms = this.#delay.soon(now)
    } else {
      this.#teller.down(error)
      ms = this.#delay.after(kindOfFailure(error), now)
    }
    this.#schedule(ms)
  }

  #schedule(ms: number): void {
    this.#world.clock.clearTimeout(this.#timer)
    this.#timer = this.#world.clock.setTimeout(() => void this.#attempt(), ms, { unref: true })
  }

  #lost(link: Link, error: Error): void {
    const server = this.#server
    if (server?.link !== link || this.#isClosed) return
    const now = this.#world.clock.now()
    this.#server = undefined
    this.#trail.lost(now)
    this.#spares.stop(error)
    this.#subscriber.pause()
    this.#delay.lived(now - server.readyAt)
    this.#teller.down(error)
    this.#schedule(
      this.#hasMoved ? this.#delay.soon(now) : this.#delay.after(kindOfFailure(error), now),
    )
  }

  #judge(server: Server, error: Error): void {
    if (this.#server !== server) return
    if (isWrongNode(error)) {
      this.#discovery.refused(server.candidate, error)
      this.#leave(error)
    } else if (error.message.startsWith('NOAUTH')) {
      this.#leave(error)
    }
  }

  /** At once: who sends now must not reach the wrong server. */
  #leave(error: Error): void {
    const server = this.#server
    if (!server) return
    this.#lost(server.link, error)
    server.link.destroy(error)
  }

  #moved(): void {
    if (this.#isClosed) return
    this.#hasMoved = true
    this.#delay.reset()
    if (this.#server) this.#leave(elsewhere())
    else if (this.#opening) this.#opening.destroy(elsewhere())
    else if (!this.#isAttempting) this.#schedule(this.#delay.soon(this.#world.clock.now()))
  }

  #sourceChanged(candidate: Candidate): void {
    if (this.#accepting) {
      this.#accepting = candidate
      return
    }
    const server = this.#server
    if (!server || this.#isClosed) return
    this.#server = { ...server, candidate }
    this.#teller.changed(stateOf(candidate))
  }

  #complaint(error: Error): void {
    if (this.#server && !this.#isClosed) {
      this.#teller.changed({ ...stateOf(this.#server.candidate), error: asUnavailable(error) })
    }
  }
}

function stateOf({ source, maxKeepMs, readOnly }: Candidate): TransportState {
  return {
    state: 'ready',
    source,
    ...(maxKeepMs !== undefined && { maxKeepMs }),
    ...(readOnly && { readOnly }),
  }
}

function elsewhere(): Error {
  return new ConnectionFault('wrong-node', 'The master of Redis is elsewhere now: going there.')
}

function closed(): Error {
  return new ResilienceError('ERR_CLOSED', 'The connection to Redis is closed.')
}
