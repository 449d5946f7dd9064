import type { Redis } from 'ioredis'
import type { Clock, Timer } from '../../../contracts/clock.ts'
import type { Command } from '../transport.ts'
import { destroy, type NodeClient } from './cluster-source.ts'
import { greet, type Login } from './handshake.ts'
import { kindOfFailure } from './redis-errors.ts'
import { sendCommands } from './send-commands.ts'

export interface SubscriberWatcher {
  onMessage(channel: string, payload: Buffer): void
  /** All channels it was given are listened to, at least one of them anew. */
  onSubscribed(): void
  /** Some channels are another node's now. */
  onMoved(): void
  /** The server does not let this user listen. */
  onDenied(error: Error): void
  /** It is over; another one has to be opened. */
  onLost(): void
}

const PING_MS = 1000

/** One connection that listens to channels of one node, until it is lost. */
export class ClusterSubscriber {
  readonly #client: Redis
  readonly #login: Login | undefined
  readonly #isSharded: boolean
  readonly #clock: Clock
  readonly #watcher: SubscriberWatcher
  #wanted: ReadonlySet<string> = new Set()
  readonly #active = new Set<string>()
  #isReady = false
  #isClosed = false
  #round = 0
  #pinger: Timer | undefined

  constructor(
    { client, login }: NodeClient,
    isSharded: boolean,
    clock: Clock,
    watcher: SubscriberWatcher,
  ) {
    this.#client = client
    this.#login = login
    this.#isSharded = isSharded
    this.#clock = clock
    this.#watcher = watcher
    client.on(isSharded ? 'smessageBuffer' : 'messageBuffer', (channel, payload) => {
      if (!this.#isClosed) watcher.onMessage(String(channel), payload as Buffer)
    })
    client.on('ready', () => {
      this.#start().catch(() => this.#lose())
    })
    client.on('moved', () => this.#forget())
    // Whatever it was: a new connection is the only state that is known to be good.
    for (const event of ['error', 'close', 'end']) client.on(event, () => this.#lose())
    this.#ping()
    client.connect().catch(ignore)
  }

  listen(channels: ReadonlySet<string>): void {
    this.#wanted = channels
    if (this.#isReady) void this.#subscribe()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#clock.clearTimeout(this.#pinger)
    destroy(this.#client)
  }

  async #start(): Promise<void> {
    const [clock, login] = [this.#clock, this.#login]
    if (login) {
      const send = (commands: readonly Command[]) => sendCommands(this.#client, commands)
      await greet({ clock, login, send, onLoading: ignore })
    }
    if (this.#isClosed) return
    this.#isReady = true
    void this.#subscribe()
    this.#ping()
  }

  /** A slot has left this node, and with it the subscriptions of its channels. */
  #forget(): void {
    this.#active.clear()
    if (!this.#isClosed) this.#watcher.onMoved()
  }

  async #subscribe(): Promise<void> {
    const round = ++this.#round
    const added = [...this.#wanted].filter((channel) => !this.#active.has(channel))
    const removed = [...this.#active].filter((channel) => !this.#wanted.has(channel))
    for (const channel of removed) this.#active.delete(channel)
    if (removed.length > 0) this.#unsubscribe(removed)
    if (added.length === 0) return
    const errors = await this.#add(added)
    if (this.#isClosed) return
    const denial = errors.find((error) => kindOfFailure(error) === 'setting')
    if (denial) this.#watcher.onDenied(denial)
    else if (errors.length > 0) this.#watcher.onMoved()
    else if (round === this.#round) this.#watcher.onSubscribed()
  }

  /** What went wrong. */
  async #add(channels: readonly string[]): Promise<Error[]> {
    const subscribe = (some: readonly string[]) =>
      this.#isSharded ? this.#client.ssubscribe(...some) : this.#client.subscribe(...some)
    // Channels of one sharded subscription have to be of one slot.
    const parts = this.#isSharded ? channels.map((channel) => [channel]) : [channels]
    const results = await Promise.allSettled(parts.map(subscribe))
    for (const [at, part] of parts.entries()) {
      if (results[at]?.status === 'fulfilled') for (const one of part) this.#active.add(one)
    }
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  }

  #unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) {
      const done = this.#isSharded
        ? this.#client.sunsubscribe(channel)
        : this.#client.unsubscribe(channel)
      done.catch(ignore)
    }
  }

  /** A connection that does not become ready in time is lost like a silent one. */
  #ping(): void {
    this.#clock.clearTimeout(this.#pinger)
    let isAnswered = false
    if (this.#isReady) {
      this.#client.ping().then(() => {
        isAnswered = true
      }, ignore)
    }
    const look = () => {
      if (this.#isClosed) return
      if (isAnswered) this.#ping()
      else this.#lose()
    }
    this.#pinger = this.#clock.setTimeout(() => this.#clock.immediate(look), PING_MS, {
      unref: true,
    })
  }

  #lose(): void {
    if (this.#isClosed) return
    this.close()
    this.#watcher.onLost()
  }
}

function ignore(): void {}
