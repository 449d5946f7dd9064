import { crc32 } from 'node:zlib'
import { Command as ClientCommand, Redis } from 'ioredis'
import type {
  BusKind,
  Command,
  Lineage,
  OpenTransport,
  Reply,
  Transport,
  TransportEvents,
  TransportState,
} from '../../../src/adapters/redis/transport.ts'

export interface DirectOptions {
  /** Several ports: each is a node of something like a cluster, whose slots are spread by hash tag. */
  readonly ports: readonly number[]
  readonly username?: string
  readonly password?: string
  readonly state?: Partial<TransportState>
}

/** Straight to servers of a test that do not fail, without discovery, redirections or deadlines. */
export class DirectTransport implements Transport {
  readonly isClustered: boolean
  readonly bus: BusKind
  /** Commands of each call of `send`, for tests that count them. */
  readonly sent: (readonly Command[])[] = []
  readonly #events: TransportEvents
  readonly #clients: readonly Redis[]
  readonly #listeners: readonly Redis[]
  readonly #state: Partial<TransportState>
  #channels: readonly string[] = []
  #closed = false

  constructor({ ports, username, password, state = {} }: DirectOptions, events: TransportEvents) {
    this.isClustered = ports.length > 1
    this.bus = this.isClustered ? 'sharded' : 'plain'
    this.#events = events
    this.#state = state
    const options = {
      host: '127.0.0.1',
      enableReadyCheck: false,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    }
    this.#clients = ports.map((port) => new Redis({ ...options, port }))
    this.#listeners = ports.map((port) => new Redis({ ...options, port, autoResubscribe: false }))
    for (const client of [...this.#clients, ...this.#listeners]) client.on('error', () => {})
    for (const event of ['messageBuffer', 'smessageBuffer'] as const) {
      for (const listener of this.#listeners) {
        listener.on(event, (channel: Buffer, payload: Buffer) =>
          this.#events.onMessage(channel.toString(), payload),
        )
      }
    }
    void this.#begin()
  }

  nodeOf(hashTag: string): string {
    return String(this.#node(hashTag))
  }

  async send(node: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    if (this.#closed) throw new Error('closed')
    this.sent.push(commands)
    const client = this.#clients[Number(node)] as Redis
    return Promise.all(commands.map((command) => reply(client, command)))
  }

  subscribe(channels: readonly string[]): void {
    this.#channels = channels
    void this.#subscribe()
  }

  /** As if a new connection had been made. */
  ready(lineage: Lineage): void {
    this.#events.onState({ state: 'ready', source: 'standalone', lineage, ...this.#state })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const client of [...this.#clients, ...this.#listeners]) client.disconnect()
  }

  async #begin(): Promise<void> {
    try {
      await Promise.all(this.#clients.map((client) => client.call('TIME')))
      if (!this.#closed) this.ready('first')
    } catch (error) {
      if (!this.#closed) {
        this.#events.onState({ state: 'down', source: 'standalone', error: error as Error })
      }
    }
  }

  async #subscribe(): Promise<void> {
    if (this.#channels.length === 0) return
    await Promise.all(
      this.#listeners.map(async (listener, node) => {
        const own = this.#channels.filter((channel) => {
          return !this.isClustered || this.#node(/\{.*\}/.exec(channel)?.[0] ?? '') === node
        })
        if (own.length === 0) return
        if (this.isClustered) await listener.ssubscribe(...own)
        else await listener.subscribe(...own)
      }),
    )
    if (!this.#closed) this.#events.onSubscribed()
  }

  #node(hashTag: string): number {
    return crc32(hashTag) % this.#clients.length
  }
}

export function direct(
  options: DirectOptions,
  made: (transport: DirectTransport) => void = () => {},
): OpenTransport {
  return (_world, events) => {
    const transport = new DirectTransport(options, events)
    made(transport)
    return transport
  }
}

async function reply(client: Redis, [name, ...args]: Command): Promise<Reply> {
  const bytes = args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : arg))
  try {
    return (await client.sendCommand(
      new ClientCommand(String(name), bytes, { replyEncoding: null }),
    )) as Reply
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return error as Error
    throw error
  }
}
