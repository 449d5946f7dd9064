import type { Timer } from '../../../contracts/clock.ts'
import type { ResilienceError } from '../../../kernel/errors.ts'
import type { Command, Reply, TransportWorld } from '../transport.ts'
import { ClusterLink } from './cluster-link.ts'
import { NodeHealth } from './cluster-node-health.ts'
import type { NodeSource } from './cluster-source.ts'
import type { ServerInfo } from './discovery.ts'
import { ReconnectDelay } from './reconnect-delay.ts'
import { asUnavailable, ConnectionFault, kindOfFailure } from './redis-errors.ts'
import { parseInfo } from './server-info.ts'

export interface NodeWatcher {
  /** Connected, and it has said what it is. */
  onConnected(node: ClusterNode): void
  onLost(node: ClusterNode): void
  /** It could not be reached; or it does not answer, or answers again. */
  onChange(node: ClusterNode): void
}

const FRESH_MS = 50

interface Lane {
  link?: ClusterLink
  retry?: Timer
}

/** The connections to one node, used in turn, and whether it is worth sending anything there. */
export class ClusterNode {
  readonly address: string
  /** What it says of itself; absent while it is not connected. */
  info: ServerInfo | undefined
  error: Error | undefined
  /** Its past is known to whoever uses it: until then nothing is asked of it. */
  isAdmitted = false
  lastUsedAt: number
  pending = 0
  #infoAt = Number.NEGATIVE_INFINITY
  #isLooking = false
  readonly #world: TransportWorld
  readonly #source: NodeSource
  readonly #watcher: NodeWatcher
  readonly #health: NodeHealth
  readonly #delay: ReconnectDelay
  readonly #lanes: readonly Lane[]
  readonly #waiting = new Set<() => void>()
  #turn = 0
  #isClosed = false

  constructor(address: string, world: TransportWorld, source: NodeSource, watcher: NodeWatcher) {
    this.address = address
    this.#world = world
    this.#source = source
    this.#watcher = watcher
    this.lastUsedAt = world.clock.now()
    this.#delay = new ReconnectDelay(world.random)
    this.#health = new NodeHealth(world, {
      probe: async () => {
        await this.#lanes[0]?.link?.send([['PING']])
      },
      onChange: () => this.#changed(),
    })
    this.#lanes = Array.from({ length: source.connections }, () => ({}))
    this.#open(0)
  }

  get isConnected(): boolean {
    return this.info !== undefined
  }

  get isDead(): boolean {
    return this.#health.isDead
  }

  get isUsable(): boolean {
    return this.isAdmitted && this.isConnected && !this.isDead
  }

  /** Whether a user's client still uses this connection. */
  get isCurrent(): boolean {
    return this.#source.isCurrent(this.address, this.#lanes[0]?.link?.client)
  }

  /** Whether what it says of itself is of now. */
  get isFresh(): boolean {
    return this.#world.clock.now() - this.#infoAt <= FRESH_MS
  }

  /** Asks it anew what it is: it may have become a master since it was connected. */
  async look(): Promise<void> {
    const link = this.#lanes[0]?.link
    if (!link?.isUp || this.#isLooking) return
    this.#isLooking = true
    try {
      const [reply] = await link.send([['INFO']])
      if (link !== this.#lanes[0]?.link || !link.isUp) return
      if (Buffer.isBuffer(reply)) this.info = parseInfo(reply.toString('latin1'))
      this.#infoAt = this.#world.clock.now()
      this.#watcher.onConnected(this)
    } catch {
      // It is lost, and that is told.
    } finally {
      this.#isLooking = false
    }
  }

  admit(): void {
    this.isAdmitted = true
    this.#wakeAll()
  }

  /** Resolves when `isTrue` is, or when the time is over. */
  async until(isTrue: () => boolean, ms: number): Promise<boolean> {
    if (isTrue() || ms <= 0) return isTrue()
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiting.delete(check)
        this.#world.clock.clearTimeout(timer)
        resolve()
      }
      const check = () => {
        if (isTrue() || this.#isClosed) done()
      }
      const timer = this.#world.clock.setTimeout(done, ms)
      this.#waiting.add(check)
    })
    return isTrue()
  }

  /** One pipeline. With `asking` each command is sent to a node that is about to get its slot. */
  async send(commands: readonly Command[], asking = false): Promise<readonly Reply[]> {
    const link = this.isDead ? undefined : this.#link()
    if (!link) throw this.unavailable()
    this.pending++
    const settled = this.#health.watch()
    try {
      const sent = asking ? commands.flatMap((command) => [ASKING, command]) : commands
      const replies = await link.send(sent)
      settled(true)
      return asking ? replies.filter((_, at) => at % 2 === 1) : replies
    } catch (error) {
      settled(false)
      throw asUnavailable(link.error ?? error)
    } finally {
      this.pending--
      this.lastUsedAt = this.#world.clock.now()
    }
  }

  unavailable(): ResilienceError {
    if (this.error) return asUnavailable(this.error)
    return asUnavailable(
      new ConnectionFault(
        'passing',
        'The node of the Redis cluster does not answer: check whether it hangs, and the network.',
      ),
    )
  }

  close(): void {
    this.#isClosed = true
    this.info = undefined
    this.isAdmitted = false
    this.#health.close()
    for (const lane of this.#lanes) {
      this.#world.clock.clearTimeout(lane.retry)
      lane.link?.close()
    }
    this.#wakeAll()
  }

  #link(): ClusterLink | undefined {
    if (!this.isConnected) return undefined
    for (let tried = 0; tried < this.#lanes.length; tried++) {
      const lane = this.#lanes[this.#turn++ % this.#lanes.length]
      if (lane?.link?.isUp) return lane.link
    }
    return undefined
  }

  /** The first connection speaks for the node; the others are opened and used along with it. */
  #open(at: number): void {
    const lane = this.#lanes[at] as Lane
    const found = this.#source.connect(this.address)
    if (!found) return
    lane.link?.close()
    this.#delay.attempted(this.#world.clock.now())
    lane.link = new ClusterLink(found, this.#world, {
      onUp: (info) => {
        if (at === 0) this.#connected(info)
      },
      onDown: (error, isOver) => {
        if (at === 0) this.#lost(error)
        if (isOver) this.#reopen(at, error)
      },
    })
  }

  #reopen(at: number, error: Error): void {
    if (this.#isClosed || !this.#source.isOurs) return
    const lane = this.#lanes[at] as Lane
    const { clock } = this.#world
    clock.clearTimeout(lane.retry)
    // The others wait for the first: what comes after it has the same server.
    if (at > 0 && !this.isConnected) return
    const ms = this.#delay.after(kindOfFailure(error), clock.now())
    lane.retry = clock.setTimeout(() => this.#open(at), ms, { unref: true })
  }

  #connected(info: ServerInfo): void {
    this.info = info
    this.#infoAt = this.#world.clock.now()
    this.error = undefined
    this.#delay.reset()
    this.#health.reset()
    for (let at = 1; at < this.#lanes.length; at++) this.#open(at)
    this.#watcher.onConnected(this)
    this.#wakeAll()
  }

  #lost(error: Error): void {
    const wasConnected = this.isConnected
    this.info = undefined
    this.isAdmitted = false
    this.error = error
    if (wasConnected) this.#watcher.onLost(this)
    else this.#watcher.onChange(this)
  }

  #changed(): void {
    this.#watcher.onChange(this)
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const check of [...this.#waiting]) check()
  }
}

const ASKING: Command = ['ASKING']
