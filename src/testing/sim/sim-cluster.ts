import { seededRandom } from '../../kernel/seeded-random.ts'
import { CELLS } from './cells.ts'
import type { Mutant } from './mutants.ts'
import type { EvictedKind, Fault, Schedule } from './operations.ts'
import { SimHistory } from './sim-history.ts'
import type { LinkMode } from './sim-link.ts'
import { SimNode } from './sim-node.ts'
import { SimOrigins } from './sim-origins.ts'
import { SimRedis } from './sim-redis.ts'
import { VirtualTime } from './virtual-time.ts'

/** A process that Redis serves again repeats what a failover has lost within this time. */
const REPEAT_MS = 1200

const PATTERNS: Readonly<Record<EvictedKind, RegExp>> = {
  any: /^/,
  stamp: /\}:t:/,
  sequence: /\}:q$/,
  lease: /\}:l:/,
  entry: /\}:e:/,
}

/** What happens to Redis itself. */
type RedisFault = Exclude<
  Fault,
  { type: 'pause' | 'crash' | 'link' | 'cut' | 'bus' | 'skew' | 'heal' }
>

/** The processes, Redis, the database, and what may happen to them. */
export class SimCluster {
  readonly time = new VirtualTime()
  readonly history = new SimHistory()
  readonly redis: SimRedis
  readonly origins: SimOrigins
  /** By place; a process that crashes is replaced by another. */
  readonly nodes: SimNode[]
  /** When Redis last lost something. */
  lostAt = Number.NEGATIVE_INFINITY
  onReplaced: (gone: SimNode) => void = () => {}
  #processes = 0
  readonly #schedule: Schedule
  readonly #mutant: Mutant

  constructor(schedule: Schedule, mutant: Mutant) {
    this.#schedule = schedule
    this.#mutant = mutant
    this.redis = new SimRedis(this.time, mutant.flaw)
    this.redis.isReplicated = schedule.operations.some(({ type }) => type === 'failover')
    this.origins = new SimOrigins(this.history, this.time)
    this.redis.onChange = () => this.allowAnother()
    this.nodes = Array.from({ length: schedule.settings.nodes }, () => this.#start())
  }

  node(place: number): SimNode {
    return this.nodes[place % this.nodes.length] as SimNode
  }

  allowAnother(): void {
    for (const { process } of this.nodes) {
      for (const cell of CELLS) this.origins.allowAnother(process, cell)
    }
  }

  suffer(fault: Fault): void {
    if (fault.type !== 'skew' && fault.type !== 'heal') this.origins.isUntroubled = false
    // Loads may lose their leases, and are not joined any more.
    this.allowAnother()
    switch (fault.type) {
      case 'pause':
        this.#pause(fault.node, fault.ms)
        break
      case 'crash':
        this.#crash(fault.node)
        break
      case 'link':
        this.#trouble(fault.node, fault.which, fault.mode)
        break
      case 'cut':
        this.node(fault.node).noteTrouble()
        this.node(fault.node).link.onCut()
        break
      case 'bus':
        this.node(fault.node).link.busFaults = fault
        break
      case 'skew':
        this.node(fault.node).clock.skewMs += fault.ms
        break
      case 'heal':
        this.heal()
        break
      default:
        this.#sufferRedis(fault)
    }
  }

  heal(): void {
    for (const node of this.nodes) {
      node.trouble()
      node.link.data = 'ok'
      node.link.bus = 'ok'
      node.link.busFaults = { lost: 0, twice: 0 }
    }
    this.redis.lagMs = 0
  }

  /** A new process in the place of one that is gone, or the first one there. */
  #start(): SimNode {
    const process = ++this.#processes
    const seed = Math.imul(this.#schedule.seed, 31) + process
    return new SimNode(process, {
      settings: this.#schedule.settings,
      time: this.time,
      redis: this.redis,
      origins: this.origins,
      random: seededRandom(seed),
      wrap: this.#mutant.wrap,
      alter: this.#mutant.alter,
    })
  }

  #pause(place: number, ms: number): void {
    const node = this.node(place)
    node.pausedUntil = Math.max(node.pausedUntil, this.time.now + ms)
    node.longestPauseMs = Math.max(node.longestPauseMs, node.pausedUntil - this.time.now)
    node.noteTrouble(node.pausedUntil)
  }

  #crash(place: number): void {
    const at = place % this.nodes.length
    const gone = this.nodes[at] as SimNode
    gone.isGone = true
    gone.link.data = 'dead'
    gone.link.bus = 'dead'
    const { now } = this.time
    for (const invalidation of this.history.invalidations) {
      if (invalidation.process !== gone.process) continue
      // What it would have told again is not told any more.
      const repeatedAt = invalidation.repeatedAt()
      const isRepeated = repeatedAt < now
      invalidation.repeatedAt = () => (isRepeated ? repeatedAt : Number.POSITIVE_INFINITY)
    }
    this.nodes[at] = this.#start()
    this.onReplaced(gone)
  }

  #trouble(place: number, which: 'data' | 'bus' | 'both', mode: LinkMode): void {
    const node = this.node(place)
    if (which !== 'bus') node.link.data = mode
    if (which !== 'data') node.link.bus = mode
    if (which === 'bus') node.noteBusTrouble()
    else node.noteTrouble()
  }

  #sufferRedis(fault: RedisFault): void {
    const { redis } = this
    switch (fault.type) {
      case 'lag':
        redis.lagMs = fault.ms
        break
      case 'failover':
        this.#downFor(fault.ms, () => this.#promote())
        break
      case 'restart':
        this.#downFor(fault.ms, () => redis.restartEmpty())
        break
      case 'flush':
        this.#lost()
        if (!redis.isDown) redis.flush()
        break
      case 'evict':
        this.#lost()
        redis.evict((keys) => {
          const matching = keys.filter((key) => PATTERNS[fault.kind].test(key))
          return matching[Math.floor(fault.share * matching.length)]
        })
        break
      case 'forget-scripts':
        redis.server.forgetScripts()
        break
    }
  }

  #downFor(ms: number, then: () => void): void {
    const { redis, time } = this
    if (redis.isDown) return
    this.#lost()
    for (const node of this.nodes) node.noteTrouble()
    redis.stop()
    time.after(ms, () => {
      then()
      this.#lost()
      for (const node of this.nodes) node.noteTrouble()
    })
  }

  #promote(): void {
    const lostSince = this.redis.promote()
    const { now } = this.time
    for (const invalidation of this.history.invalidations) {
      if (invalidation.acknowledgedAt < lostSince) continue
      // Only invalidations are repeated. What a lost `set` has replaced is back for good.
      const node = this.nodes.find(({ process }) => process === invalidation.process)
      const isRepeated = node !== undefined && !invalidation.isSet
      invalidation.repeatedAt = () =>
        isRepeated ? Math.max(now, node.dataTrouble()) + REPEAT_MS : Number.POSITIVE_INFINITY
    }
  }

  #lost(): void {
    this.lostAt = this.time.now
    this.allowAnother()
  }
}
