import type { Command, Reply } from '../../adapters/redis/transport.ts'
import { LeaseWatch } from './lease-watch.ts'
import type { ScriptFlaw } from './script-call.ts'
import { SIM_START_MS } from './sim-clock.ts'
import { SimData } from './sim-data.ts'
import { SimServer } from './sim-server.ts'
import type { VirtualTime } from './virtual-time.ts'

type Changes = ReturnType<SimData['takeChanges']>

/** Something a client holds that ends when the server does. */
export interface Attached {
  onServerGone(): void
}

/**
 * A master with a replica that lags behind, as its clients meet them: at one address, where the
 * replica takes over when the master is gone.
 */
export class SimRedis {
  /** Refuses connections: between two masters, or while it restarts. */
  isDown = false
  /** What the master is known by, and by what it was known when it was a replica. */
  identity = 1
  formerIdentity = 0
  /** How far the replica is behind, in milliseconds. */
  lagMs = 0
  /** Whether a replica may take over: only then is anything replicated. */
  isReplicated = true
  /** Something was written, deleted or stamped: what is loaded meanwhile may be outdated. */
  onChange: () => void = () => {}
  readonly watch = new LeaseWatch()
  server: SimServer
  readonly #time: VirtualTime
  readonly #flaw: ScriptFlaw | undefined
  #replica = new SimData()
  /** What the replica has not been given yet. */
  #stream: Array<{ readonly at: number; readonly doneAt: number; readonly changes: Changes }> = []
  #stoppedAt = 0
  readonly #attached = new Set<Attached>()

  constructor(time: VirtualTime, flaw?: ScriptFlaw) {
    this.#time = time
    this.#flaw = flaw
    this.server = this.#startServer(new SimData())
    this.watch.epochOf = (key) => this.#epochOf(key)
  }

  get now(): number {
    return SIM_START_MS + this.#time.now
  }

  execute(command: Command): Reply {
    const reply = this.server.execute(command, this.now)
    this.#replicate()
    return reply
  }

  /** Whether any lease is held, be it by a process that is gone. */
  get hasLeases(): boolean {
    const { data } = this.server
    return data.keys().some((key) => {
      const value = data.find(key)?.value
      const until = value instanceof Map ? value.get('u') : undefined
      return until !== undefined && Number(until.toString()) > this.now
    })
  }

  attach(attached: Attached): void {
    this.#attached.add(attached)
  }

  detach(attached: Attached): void {
    this.#attached.delete(attached)
  }

  /** The master dies. What it had not replicated is lost. */
  stop(): void {
    this.isDown = true
    this.#stoppedAt = this.#time.now
    for (const attached of [...this.#attached]) attached.onServerGone()
    this.#attached.clear()
  }

  /**
   * The replica is the master from now on, and gets a replica of its own.
   * @returns what was done since then is lost; Infinity where nothing is
   */
  promote(): number {
    this.#feedReplica(this.#stoppedAt)
    const lostSince = this.#stream[0]?.doneAt ?? Number.POSITIVE_INFINITY
    this.#stream = []
    this.server = this.#startServer(this.#replica)
    this.#replica = this.server.data.clone()
    this.formerIdentity = this.identity
    this.identity++
    this.isDown = false
    this.watch.failedOver()
    return lostSince
  }

  /** It begins again with nothing. */
  restartEmpty(): void {
    this.#stream = []
    this.#replica = new SimData()
    this.server = this.#startServer(new SimData())
    this.formerIdentity = 0
    this.identity++
    this.isDown = false
    this.watch.allLost()
  }

  flush(): void {
    this.execute(['FLUSHALL'])
    this.watch.allLost()
  }

  /** Out of memory: a key is gone, whatever it is. */
  evict(choose: (keys: readonly string[]) => string | undefined): string | undefined {
    const key = choose(this.server.data.keys())
    if (key === undefined) return undefined
    this.server.data.delete(key)
    this.#replicate()
    this.watch.lost(key)
    return key
  }

  #startServer(data: SimData): SimServer {
    const server = new SimServer(data, this.#flaw)
    server.onScript = (run) => {
      this.watch.see(run)
      if (run.name === 'delete' || run.name === 'stamp' || run.name === 'write') this.onChange()
    }
    return server
  }

  #replicate(): void {
    if (!this.isReplicated) return
    const changes = this.server.data.takeChanges()
    const { now } = this.#time
    if (changes.length > 0) this.#stream.push({ at: now + this.lagMs, doneAt: now, changes })
    if (this.#stream.length > 50) this.#feedReplica(now)
  }

  #feedReplica(now: number): void {
    const due = this.#stream.findIndex(({ at }) => at > now)
    const arrived = this.#stream.splice(0, due < 0 ? this.#stream.length : due)
    for (const { changes } of arrived) this.#replica.apply(changes)
  }

  #epochOf(key: string): string | undefined {
    return this.server.data.hash(key)?.get('e')?.toString()
  }
}
