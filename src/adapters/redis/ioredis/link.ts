import type { Redis } from 'ioredis'
import type { Clock, Timer } from '../../../contracts/clock.ts'
import type { Command, Reply } from '../transport.ts'
import { CONNECT_MS, DISCONNECT_MS } from './client-options.ts'
import type { ServerInfo } from './discovery.ts'
import { greet, type Login } from './handshake.ts'
import { ConnectionFault } from './redis-errors.ts'
import { sendCommands } from './send-commands.ts'
import { SilenceWatch } from './silence-watch.ts'

const BEAT_MS = 1000

export interface LinkParts {
  /** Made by nobody else, not yet connected, and without a `retryStrategy`. */
  readonly client: Redis
  readonly clock: Clock
  /** Longest wait for a reply. */
  readonly silenceMs: number
  /** Absent: the client logs in by itself. */
  readonly login?: Login
  onLoading(error: Error): void
  /** It was open, and is no more. */
  onEnd(error: Error): void
}

/** One connection, from the attempt to its end. It is never opened again. */
export class Link {
  readonly client: Redis
  /** What the server says of itself; rejects with the cause when the connection cannot be used. */
  readonly opened: Promise<ServerInfo>
  readonly #parts: LinkParts
  readonly #watch: SilenceWatch
  readonly #ended: Promise<void>
  #state: 'opening' | 'open' | 'ended' = 'opening'
  #reason: Error | undefined
  #openTimer: Timer | undefined
  #beatTimer: Timer | undefined
  #waiting = 0

  constructor(parts: LinkParts) {
    const { client, clock, silenceMs } = parts
    this.client = client
    this.#parts = parts
    this.#watch = new SilenceWatch(
      clock,
      silenceMs,
      () => client.stream,
      () => this.destroy(silent()),
    )
    // Without a listener the client prints.
    client.on('error', (error: Error) => this.destroy(error))
    client.once('connect', () => client.stream.unref())
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#ended = promise
    client.once('end', () => {
      this.#end()
      resolve()
    })
    this.opened = this.#open()
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** @throws when the connection is lost before all replies have come */
  async send(commands: readonly Command[]): Promise<Reply[]> {
    if (this.#waiting++ === 0) this.client.stream?.ref()
    try {
      return await this.#exchange(commands)
    } finally {
      if (--this.#waiting === 0) this.client.stream?.unref()
    }
  }

  /** Cuts it, and with it everything that is under way. A polite end would wait for the other side. */
  destroy(reason: Error): void {
    this.#reason ??= reason
    if (this.#state === 'ended') return
    this.#watch.stop()
    // It may still be on the way to a socket, or have none any more.
    this.client.disconnect()
    this.client.stream?.destroy()
  }

  /** Lets what was sent reach the server, but does not wait longer than a moment. */
  async end(): Promise<void> {
    this.#reason ??= closedByUs()
    this.client.disconnect()
    await this.#endsWithin(DISCONNECT_MS)
    this.destroy(closedByUs())
    await this.#endsWithin(DISCONNECT_MS)
  }

  async #endsWithin(ms: number): Promise<void> {
    const { clock } = this.#parts
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = clock.setTimeout(resolve, ms)
    await Promise.race([this.#ended, promise])
    clock.clearTimeout(timer)
  }

  async #open(): Promise<ServerInfo> {
    const { client, clock, login } = this.#parts
    this.#openTimer = clock.setTimeout(() => this.#openingTakesLong(), CONNECT_MS, { unref: true })
    try {
      await client.connect()
      const info = await greet({
        clock,
        ...(login && { login }),
        send: (commands) => this.#exchange(commands),
        onLoading: (error) => {
          clock.clearTimeout(this.#openTimer)
          this.#parts.onLoading(error)
        },
      })
      if (this.#reason) throw this.#reason
      this.#state = 'open'
      this.#beat()
      return info
    } catch (error) {
      this.destroy(error as Error)
      throw this.#reason ?? error
    } finally {
      clock.clearTimeout(this.#openTimer)
    }
  }

  /** Not if it was this process that was busy: what has arrived meanwhile is looked at first. */
  #openingTakesLong(): void {
    this.#parts.clock.immediate(() => {
      if (this.#state === 'opening') this.destroy(silent())
    })
  }

  async #exchange(commands: readonly Command[]): Promise<Reply[]> {
    if (this.#state === 'ended') throw this.#reason ?? closedByServer()
    this.#watch.expect()
    try {
      return await sendCommands(this.client, commands)
    } catch (error) {
      throw this.#reason ?? closedByServer(error)
    } finally {
      this.#watch.done()
    }
  }

  /** An idle connection that is dead is found before somebody needs it. */
  #beat(): void {
    this.#beatTimer = this.#parts.clock.setTimeout(
      () => {
        if (this.#watch.owed === 0) this.#exchange([['PING']]).catch(() => {})
        this.#beat()
      },
      BEAT_MS,
      { unref: true },
    )
  }

  #end(): void {
    const wasOpen = this.#state === 'open'
    this.#state = 'ended'
    this.#reason ??= closedByServer()
    this.#watch.stop()
    this.#parts.clock.clearTimeout(this.#openTimer)
    this.#parts.clock.clearTimeout(this.#beatTimer)
    if (wasOpen) this.#parts.onEnd(this.#reason)
  }
}

function silent(): Error {
  return Object.assign(new Error('no reply in time'), { code: 'ETIMEDOUT' })
}

function closedByServer(cause?: unknown): Error {
  return Object.assign(new Error('the server closed the connection', { cause }), {
    code: 'ECONNRESET',
  })
}

function closedByUs(): Error {
  return new ConnectionFault('passing', 'The connection to Redis was closed.')
}
