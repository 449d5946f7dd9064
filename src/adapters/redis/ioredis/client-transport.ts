import type { Redis } from 'ioredis'
import type { Timer } from '../../../contracts/clock.ts'
import { ResilienceError } from '../../../kernel/errors.ts'
import type {
  Command,
  OpenTransport,
  Reply,
  Transport,
  TransportEvents,
  TransportWorld,
} from '../transport.ts'
import { LINK_OPTIONS } from './client-options.ts'
import type { ServerInfo } from './discovery.ts'
import { greet } from './handshake.ts'
import { LineageTrail } from './lineage.ts'
import { Link } from './link.ts'
import { silenceOf } from './open-link.ts'
import { asUnavailable, isWrongNode } from './redis-errors.ts'
import { sendCommands } from './send-commands.ts'
import { refuseCluster, refuseRole } from './server-info.ts'
import type { Settings } from './settings.ts'
import { SilenceWatch } from './silence-watch.ts'
import { StateTeller } from './state-teller.ts'
import { Subscriber } from './subscriber.ts'

/** How soon a server is looked at again that is not what it should be: the client stays with it. */
const LOOK_AGAIN_MS = 1000

/**
 * Through a `Redis` of ioredis 5.9 or 6 that the user has made and will close. It decides where it
 * connects and when; messages come by a copy of it, which is ours.
 */
export function openClientTransport(settings: Settings): OpenTransport {
  if (settings.target.kind !== 'client') throw new Error('There is no client in these settings')
  const client = settings.target.client as Redis
  return (world, events) => new ClientTransport(client, world, events)
}

class ClientTransport implements Transport {
  readonly isClustered = false
  readonly bus = 'plain'
  readonly #client: Redis
  readonly #world: TransportWorld
  readonly #teller: StateTeller
  readonly #subscriber: Subscriber
  readonly #trail = new LineageTrail()
  /** Rejections of what is under way: the client itself may hold it until it is connected again. */
  readonly #pending = new Set<(error: Error) => void>()
  readonly #silence: SilenceWatch
  readonly #listeners: readonly (readonly [string, (...values: never[]) => void])[]
  /** Counts connections; what belongs to an earlier one is dropped. */
  #connection = 0
  #isReady = false
  #lastError: Error | undefined
  #timer: Timer | undefined
  #isClosed = false

  constructor(client: Redis, world: TransportWorld, events: TransportEvents) {
    this.#client = client
    this.#world = world
    this.#teller = new StateTeller(events)
    this.#subscriber = new Subscriber(world, events, () => this.#look())
    this.#silence = new SilenceWatch(
      world.clock,
      silenceOf(world),
      () => client.stream,
      () => this.#silent(),
    )
    this.#listeners = [
      ['ready', () => this.#look()],
      ['close', () => this.#lost()],
      ['end', () => this.#lost(ended())],
      ['error', (error: Error) => this.#failed(error)],
    ]
    for (const [event, listener] of this.#listeners)
      client.on(event as 'end', listener as () => void)
    // Whoever opens it has to have it in hand before the first event.
    queueMicrotask(() => this.#begin())
  }

  nodeOf(): string {
    return ''
  }

  async send(_node: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    if (!this.#isReady || this.#client.status !== 'ready') throw this.#teller.error
    const replies = await this.#exchange(commands)
    const wrong = replies.find((reply) => reply instanceof Error && isWrongNode(reply))
    if (wrong) this.#refuse(wrong as Error)
    return replies
  }

  subscribe(channels: readonly string[]): void {
    if (!this.#isClosed) this.#subscriber.subscribe(channels)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isReady = false
    this.#connection++
    this.#teller.stop()
    this.#silence.stop()
    this.#world.clock.clearTimeout(this.#timer)
    for (const [event, listener] of this.#listeners) {
      // Without any listener it would print; the user has one, or prints anyway.
      this.#client.off(event as 'end', listener as () => void)
    }
    this.#rejectPending(this.#teller.error)
    await this.#subscriber.close()
  }

  #begin(): void {
    const { status } = this.#client
    if (this.#isClosed) return
    if (status === 'ready') this.#look()
    else if (status === 'end') this.#teller.down(ended())
    // Made with lazyConnect, and not used yet.
    else if (status === 'wait') this.#client.connect().catch(() => {})
  }

  #look(): void {
    const connection = ++this.#connection
    this.#isReady = false
    this.#world.clock.clearTimeout(this.#timer)
    if (this.#isClosed || this.#client.status !== 'ready') return
    greet({
      clock: this.#world.clock,
      send: (commands) => this.#exchange(commands),
      onLoading: (error) => this.#teller.down(error),
    })
      .then((info) => {
        if (connection !== this.#connection) return
        const fault = refuseCluster(info) ?? refuseRole(info)
        if (fault) throw fault
        this.#use(info)
      })
      .catch((error: Error) => {
        if (connection === this.#connection) this.#refuse(error)
      })
  }

  #use(info: ServerInfo): void {
    const { remoteAddress, remotePort } = this.#client.stream ?? {}
    const address = `${remoteAddress}:${remotePort}`
    this.#isReady = true
    this.#lastError = undefined
    const lineage = this.#trail.arrive(address, info, this.#world.clock.now())
    this.#teller.ready({ state: 'ready', source: 'client' }, lineage)
    if (this.#isClosed) return
    this.#subscriber.follow({
      address,
      info,
      open: (events) =>
        new Link({
          client: this.#client.duplicate(copyOptions(this.#client)),
          clock: this.#world.clock,
          silenceMs: silenceOf(this.#world),
          ...events,
        }),
    })
  }

  /** The connection is there, but not to a server that will do. */
  #refuse(error: Error): void {
    if (this.#isClosed) return
    this.#connection++
    this.#isReady = false
    this.#trail.lost(this.#world.clock.now())
    this.#subscriber.pause()
    this.#teller.down(error)
    this.#world.clock.clearTimeout(this.#timer)
    this.#timer = this.#world.clock.setTimeout(() => this.#look(), LOOK_AGAIN_MS, { unref: true })
  }

  /**
   * The connection is the user's and stays. One question is sent behind what is owed already, and
   * nothing else until it is answered, or the client connects anew.
   */
  #silent(): void {
    if (this.#isClosed) return
    const error = silence()
    if (!this.#isReady) {
      this.#teller.down(error)
      return
    }
    this.#isReady = false
    this.#trail.lost(this.#world.clock.now())
    this.#subscriber.pause()
    this.#teller.down(error)
    this.#rejectPending(asUnavailable(error))
    this.#look()
  }

  #failed(error: Error): void {
    this.#lastError = error
    if (!this.#isReady && this.#client.status !== 'ready') this.#teller.down(error)
  }

  #lost(error: Error = this.#lastError ?? cut()): void {
    this.#connection++
    this.#isReady = false
    this.#lastError = undefined
    this.#world.clock.clearTimeout(this.#timer)
    this.#trail.lost(this.#world.clock.now())
    this.#subscriber.pause()
    this.#teller.down(error)
    this.#rejectPending(asUnavailable(error))
  }

  #rejectPending(error: Error): void {
    for (const reject of this.#pending) reject(error)
    this.#pending.clear()
  }

  async #exchange(commands: readonly Command[]): Promise<Reply[]> {
    const { promise, reject } = Promise.withResolvers<never>()
    this.#pending.add(reject)
    this.#silence.expect()
    try {
      return await Promise.race([sendCommands(this.#client, commands), promise])
    } catch (error) {
      throw asUnavailable(error)
    } finally {
      this.#silence.done()
      this.#pending.delete(reject)
    }
  }
}

/** A copy that is used once, and of whose options only those that say where and who are kept. */
function copyOptions(client: Redis) {
  // Version 5 does not know it and speaks the older protocol anyway.
  const { protocol, ...rest } = LINK_OPTIONS
  return {
    ...rest,
    ...('protocol' in client.options && { protocol }),
    keyPrefix: '',
    connectionName: 'resilient-cache:bus',
    connectTimeout: 1000,
    monitor: false,
  }
}

function silence(): Error {
  return Object.assign(new Error('no reply in time'), { code: 'ETIMEDOUT' })
}

function cut(): Error {
  return Object.assign(new Error('the client lost its connection'), { code: 'ECONNRESET' })
}

function ended(): Error {
  return new ResilienceError(
    'ERR_L2_UNAVAILABLE',
    'The Redis client given to the cache was closed: close the cache first, or give it another client.',
  )
}
