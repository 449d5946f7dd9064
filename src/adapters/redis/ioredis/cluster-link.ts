import type { Redis } from 'ioredis'
import type { Timer } from '../../../contracts/clock.ts'
import type { Command, Reply, TransportWorld } from '../transport.ts'
import { CONNECT_MS } from './client-options.ts'
import { destroy, type NodeClient } from './cluster-source.ts'
import type { ServerInfo } from './discovery.ts'
import { TIME_OUT } from './failure-cause.ts'
import { greet, type Login } from './handshake.ts'
import { silenceOf } from './open-link.ts'
import { ConnectionFault } from './redis-errors.ts'
import { sendCommands } from './send-commands.ts'
import { SilenceWatch } from './silence-watch.ts'

export interface LinkWatcher {
  onUp(info: ServerInfo): void
  /** `isOver`: this connection will not come back by itself. */
  onDown(error: Error, isOver: boolean): void
}

/** One connection to a node, from its first attempt to connect until it has ended. */
export class ClusterLink {
  readonly client: Redis
  isUp = false
  error: Error | undefined
  readonly #login: Login | undefined
  readonly #world: TransportWorld
  readonly #watcher: LinkWatcher
  readonly #silence: SilenceWatch
  readonly #listeners: (() => void)[] = []
  #limit: Timer | undefined
  #isClosed = false

  constructor({ client, login }: NodeClient, world: TransportWorld, watcher: LinkWatcher) {
    this.client = client
    this.#login = login
    this.#world = world
    this.#watcher = watcher
    this.#silence = new SilenceWatch(
      world.clock,
      silenceOf(world),
      () => client.stream,
      () => this.#cut(),
    )
    this.#on('ready', () => void this.#greet())
    this.#on('error', (error) => {
      this.error = error as Error
    })
    this.#on('close', () => this.#lose(false))
    this.#on('end', () => this.#lose(true))
    this.#limitConnecting()
    if (client.status === 'ready') void this.#greet()
    if (client.status === 'wait') client.connect().catch(ignore)
  }

  async send(commands: readonly Command[]): Promise<Reply[]> {
    const { stream } = this.client
    this.#silence.expect()
    // The process may end while nothing is asked for, but not before a reply is there.
    if (this.#login) stream?.ref()
    try {
      return await sendCommands(this.client, commands)
    } finally {
      this.#silence.done()
      if (this.#login && this.#silence.owed === 0) stream?.unref()
    }
  }

  close(): void {
    this.#isClosed = true
    this.isUp = false
    this.#world.clock.clearTimeout(this.#limit)
    this.#silence.stop()
    for (const remove of this.#listeners.splice(0)) remove()
    if (!this.#login) return
    // What ends while it connects still tells of it, and the client prints what nobody hears.
    this.client.on('error', ignore)
    destroy(this.client)
  }

  #on(event: string, listener: (argument: unknown) => void): void {
    this.client.on(event, listener)
    this.#listeners.push(() => this.client.off(event, listener))
  }

  async #greet(): Promise<void> {
    const { clock } = this.#world
    const { stream } = this.client
    try {
      const info = await greet({
        clock,
        ...(this.#login && { login: this.#login }),
        send: (commands) => this.send(commands),
        onLoading: (error) => {
          this.error = error
          this.#limitConnecting()
        },
      })
      if (this.#isClosed || this.client.stream !== stream || this.client.status !== 'ready') return
      clock.clearTimeout(this.#limit)
      this.isUp = true
      this.#watcher.onUp(info)
    } catch (error) {
      // Where the connection was lost the client knows why.
      if ((error as Error).name === 'ReplyError' || error instanceof ConnectionFault) {
        this.error = error as Error
      }
      this.#cut()
    }
  }

  #limitConnecting(): void {
    if (!this.#login) return
    const { clock } = this.#world
    clock.clearTimeout(this.#limit)
    const look = () => {
      if (this.isUp || this.#isClosed) return
      this.error = Object.assign(new Error(TIME_OUT), { code: 'ETIMEDOUT' })
      this.#cut()
    }
    this.#limit = clock.setTimeout(() => clock.immediate(look), CONNECT_MS, { unref: true })
  }

  /** A user's connection is left alone, whatever it does. */
  #cut(): void {
    if (this.#login && !this.#isClosed) destroy(this.client)
  }

  #lose(isOver: boolean): void {
    if (this.#isClosed) return
    this.isUp = false
    const error = this.error ?? Object.assign(new Error('closed'), { code: 'ECONNRESET' })
    this.#watcher.onDown(error, isOver)
  }
}

function ignore(): void {}
