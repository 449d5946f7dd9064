import type { Command, Reply } from '../../adapters/redis/transport.ts'
import type { LinkMode, SimLink } from './sim-link.ts'
import type { Attached, SimRedis } from './sim-redis.ts'
import type { SimServer, Subscriber } from './sim-server.ts'
import type { Owner, VirtualTime } from './virtual-time.ts'

/** How much later than it should what was on its way at a reset may still arrive, in milliseconds. */
const LATE_MS = 300
/** Share of the resets of which that is so. */
const LATE_SHARE = 0.3
/** Share of the pipelines in the middle of which the server may turn to others. */
const SPLIT_SHARE = 0.3
/** A peer that has not answered for so long is taken for dead. */
const SILENCE_MS = 1000

interface Pending {
  readonly reject: (error: Error) => void
  readonly sentAt: number
}

export interface ConnectionWorld {
  readonly time: VirtualTime
  readonly redis: SimRedis
  readonly link: SimLink
  readonly owner: Owner
  readonly random: () => number
  readonly isClustered: boolean
}

/**
 * One TCP connection to the master of the moment: what is sent arrives in its order or not at all,
 * and so does what comes back.
 */
export class SimConnection implements Attached, Subscriber {
  readonly identity: number
  isOpen = true
  readonly #world: ConnectionWorld
  readonly #kind: 'data' | 'bus'
  readonly #onLost: (error: Error) => void
  readonly #server: SimServer
  readonly #pending = new Set<Pending>()
  #arrivesAt = 0
  #answersAt = 0
  #isWatched = false
  /** By how much; `undefined`: what was on its way is lost. */
  #lateMs: number | undefined
  #isCut = false
  #onMessage: (channel: string, payload: Buffer) => void = () => {}

  constructor(world: ConnectionWorld, kind: 'data' | 'bus', onLost: (error: Error) => void) {
    this.#world = world
    this.#kind = kind
    this.#onLost = onLost
    this.#server = world.redis.server
    this.identity = world.redis.identity
    world.redis.attach(this)
  }

  /** Whether it is what it seems to be: there is somebody at the other end. */
  get isWell(): boolean {
    return this.isOpen && !this.#isCut
  }

  send(commands: readonly Command[]): Promise<readonly Reply[]> {
    const { time } = this.#world
    return new Promise((resolve, reject) => {
      const pending = { reject, sentAt: time.now }
      this.#pending.add(pending)
      this.#watchSilence()
      const replies: Reply[] = []
      for (const piece of this.#inPieces(commands)) {
        this.#toServer(() => {
          for (const command of piece) replies.push(this.#world.redis.execute(command))
          if (replies.length < commands.length) return
          this.#toClient(() => {
            this.#pending.delete(pending)
            resolve(replies)
          })
        })
      }
    })
  }

  /** A pipeline is not one step: the server may turn to others in the middle of it. */
  #inPieces(commands: readonly Command[]): readonly (readonly Command[])[] {
    const { random } = this.#world
    if (commands.length < 2 || random() >= SPLIT_SHARE) return [commands]
    const at = 1 + Math.floor(random() * (commands.length - 1))
    return [commands.slice(0, at), commands.slice(at)]
  }

  subscribe(
    channels: readonly string[],
    onMessage: (channel: string, payload: Buffer) => void,
    onSubscribed: () => void,
  ): void {
    this.#onMessage = onMessage
    this.#toServer(() => {
      this.#server.unsubscribe(this)
      for (const channel of channels) this.#server.subscribe(channel, this)
      this.#toClient(onSubscribed)
    })
    this.#keepAsking()
  }

  receive(channel: string, payload: Buffer): void {
    const copies = this.#world.link.copies()
    for (let i = 0; i < copies; i++) this.#toClient(() => this.#onMessage(channel, payload))
  }

  /** The server is gone. Whoever is cut off from it learns that by its silence. */
  onServerGone(): void {
    this.#isCut = true
    if (this.#mode === 'dead' || this.#mode === 'mute') return
    const { time, link, owner } = this.#world
    const ms = link.delay(this.#mode)
    time.after(ms, () => this.break(new Error('the connection was reset')), owner)
  }

  break(error: Error): void {
    if (!this.isOpen) return
    if (this.#world.random() < LATE_SHARE) this.#lateMs = LATE_MS * this.#world.random() ** 2
    this.close()
    for (const { reject } of this.#pending) reject(error)
    this.#pending.clear()
    this.#onLost(error)
  }

  close(): void {
    this.isOpen = false
    this.#isCut = true
    this.#world.redis.detach(this)
    this.#server.unsubscribe(this)
  }

  get #mode(): LinkMode {
    return this.#world.link[this.#kind]
  }

  #toServer(task: () => void): void {
    const { time, link } = this.#world
    this.#arrivesAt = Math.max(this.#arrivesAt, time.now + link.delay(this.#mode))
    time.schedule(this.#arrivesAt, () => {
      if (this.#mode === 'dead') return
      if (!this.#isCut) task()
      else if (this.#lateMs !== undefined) time.after(this.#lateMs, () => this.#arriveLate(task))
    })
  }

  /** The client has given up, and the server does what it was asked all the same. */
  #arriveLate(task: () => void): void {
    const { redis } = this.#world
    if (redis.server === this.#server && !redis.isDown) task()
  }

  #toClient(task: () => void): void {
    const { time, link, owner } = this.#world
    if (this.#mode === 'mute' || this.#mode === 'dead') {
      this.#breakOff()
      return
    }
    this.#answersAt = Math.max(this.#answersAt, time.now + link.delay(this.#mode))
    const arrive = (): void => {
      if (!this.isOpen) return
      if (this.#mode === 'mute' || this.#mode === 'dead') this.#breakOff()
      else task()
    }
    time.schedule(this.#answersAt, arrive, owner)
  }

  /** What TCP has lost once it cannot deliver later: nothing more comes through on this connection. */
  #breakOff(): void {
    this.#isCut = true
    this.#server.unsubscribe(this)
    this.#watchSilence()
  }

  #watchSilence(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    const { time, owner } = this.#world
    time.after(SILENCE_MS, () => this.#checkSilence(), owner)
  }

  #checkSilence(): void {
    this.#isWatched = false
    if (!this.isOpen) return
    const [oldest] = this.#pending
    const waited = oldest ? this.#world.time.now - oldest.sentAt : 0
    if (waited >= SILENCE_MS || (this.#kind === 'bus' && this.#isCut)) {
      this.break(new Error('the server is silent'))
    } else if (oldest) this.#watchSilence()
  }

  /** A subscriber that hears nothing asks now and then whether anybody is there. */
  #keepAsking(): void {
    const { time, owner } = this.#world
    const ask = (): void => {
      if (!this.isOpen) return
      if (this.#isCut || this.#mode === 'dead' || this.#mode === 'mute') this.#breakOff()
      else time.after(SILENCE_MS, ask, owner)
    }
    time.after(SILENCE_MS, ask, owner)
  }
}
