import type { Timer } from '../../../contracts/clock.ts'
import type { TransportEvents, TransportWorld } from '../transport.ts'
import type { ServerInfo } from './discovery.ts'
import type { Link } from './link.ts'
import type { LinkEvents } from './open-link.ts'
import { ReconnectDelay } from './reconnect-delay.ts'
import { ConnectionFault, kindOfFailure } from './redis-errors.ts'

/** The server that is written to, whose messages are therefore the ones to hear. */
export interface Heard {
  readonly address: string
  readonly info: ServerInfo
  open(events: LinkEvents): Link
}

type ListenEvents = Pick<TransportEvents, 'onMessage' | 'onSubscribed' | 'onDenied'>

/** The connection that listens: always to the server that is written to. */
export class Subscriber {
  readonly #world: TransportWorld
  readonly #events: ListenEvents
  readonly #onElsewhere: () => void
  readonly #delay: ReconnectDelay
  #heard: Heard | undefined
  /** While the server is not written to, a lost connection is not opened again. */
  #isPaused = true
  #channels: readonly string[] = []
  #link: Link | undefined
  #timer: Timer | undefined
  #openedAt = 0
  #isClosed = false

  /** `onElsewhere`: the same address leads to another server by now. */
  constructor(world: TransportWorld, events: ListenEvents, onElsewhere: () => void) {
    this.#world = world
    this.#events = events
    this.#onElsewhere = onElsewhere
    this.#delay = new ReconnectDelay(world.random)
  }

  /** Listens to this server from now on; a subscription that it has already is left alone. */
  follow(heard: Heard): void {
    const before = this.#heard
    this.#heard = heard
    this.#isPaused = false
    if (this.#link && before && isSameServer(before, heard)) return
    this.#drop()
    this.#delay.reset()
    this.#connect()
  }

  pause(): void {
    this.#isPaused = true
    this.#world.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  subscribe(channels: readonly string[]): void {
    const before = this.#channels
    this.#channels = [...new Set(channels)]
    const link = this.#link
    if (!link?.isOpen) {
      if (!link && this.#timer === undefined) this.#connect()
      return
    }
    const gone = before.filter((channel) => !this.#channels.includes(channel))
    const fresh = this.#channels.filter((channel) => !before.includes(channel))
    if (gone.length > 0) link.client.unsubscribe(...gone).catch(() => {})
    if (fresh.length > 0) this.#listen(link, fresh).catch((error) => link.destroy(error as Error))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.pause()
    const link = this.#link
    this.#link = undefined
    await link?.end()
  }

  #connect(): void {
    const heard = this.#heard
    if (this.#isClosed || this.#isPaused || !heard || this.#channels.length === 0) return
    this.#delay.attempted(this.#world.clock.now())
    const link = heard.open({
      onLoading: () => {},
      onEnd: (error) => this.#lost(link, error),
    })
    this.#link = link
    link.client.on('messageBuffer', (channel: Buffer, payload: Buffer) => {
      if (this.#link === link) this.#events.onMessage(channel.toString(), payload)
    })
    this.#begin(link, heard).catch((error) => {
      link.destroy(error as Error)
      // Once it was open, its end is told by itself.
      this.#lost(link, error as Error)
    })
  }

  async #begin(link: Link, heard: Heard): Promise<void> {
    const info = await link.opened
    if (this.#link !== link) throw new ConnectionFault('passing', 'The connection was replaced.')
    if (heard.info.run_id && info.run_id && heard.info.run_id !== info.run_id) {
      this.#onElsewhere()
      throw new ConnectionFault('passing', 'The connection for messages reached another server.')
    }
    this.#openedAt = this.#world.clock.now()
    await this.#listen(link, this.#channels)
  }

  async #listen(link: Link, channels: readonly string[]): Promise<void> {
    if (channels.length > 0) await link.client.subscribe(...channels)
    if (this.#link === link) this.#events.onSubscribed()
  }

  #lost(link: Link, error: Error): void {
    if (this.#link !== link) return
    this.#link = undefined
    const now = this.#world.clock.now()
    this.#delay.lived(now - this.#openedAt)
    if (this.#isClosed || this.#isPaused) return
    const kind = kindOfFailure(error)
    this.#timer = this.#world.clock.setTimeout(
      () => {
        this.#timer = undefined
        this.#connect()
      },
      this.#delay.after(kind, now),
      { unref: true },
    )
    if (kind === 'setting') this.#events.onDenied?.(error)
  }

  #drop(): void {
    this.#world.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    const link = this.#link
    this.#link = undefined
    link?.destroy(new ConnectionFault('passing', 'Another server is listened to.'))
  }
}

function isSameServer(a: Heard, b: Heard): boolean {
  return a.info.run_id && b.info.run_id ? a.info.run_id === b.info.run_id : a.address === b.address
}
