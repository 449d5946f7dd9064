import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Store } from '../../../src/contracts/store.ts'
import type { Cache } from '../../../src/facade/cache.ts'
import type { CachedFunction } from '../../../src/facade/cached-function.ts'
import { createCache } from '../../../src/facade/create-cache.ts'
import type { CacheOptions } from '../../../src/facade/options.ts'
import type { CacheHealth } from '../../../src/facade/results.ts'
import { runLoad } from '../servers/load.ts'
import { until } from '../servers/until.ts'

/** What the cached functions return: the truth has a number of its own for each id. */
export interface Value {
  readonly id: string
  readonly version: number
}

/**
 * How a read goes. `remote`: without L1, so that each one asks L2. `both`: with L1, as services do.
 * `control`: through a cache without an L2 and without L1, in the same turn as the others.
 */
export type Way = 'remote' | 'both' | 'control'

/** One read. Instants by `performance.now()`. */
export interface Read {
  readonly node: number
  readonly way: Way
  /** Reads of one number began in the same turn. */
  readonly turn: number
  readonly id: string
  readonly start: number
  readonly end: number
  /** How often the system had taken the processor from this process, at the start and at the end. */
  readonly switches: readonly [number, number]
  readonly source?: string
  readonly version?: number
  readonly error?: unknown
}

/** One change of the truth, and the invalidation that followed. */
export interface Change {
  readonly node: number
  readonly id: string
  readonly version: number
  readonly called: number
  readonly acked: number
  readonly durable: boolean
}

export interface StateChange {
  readonly node: number
  readonly at: number
  readonly health: CacheHealth['l2']
}

export interface RigOptions {
  /** Makes the L2 of one node. */
  l2(node: number): Store
  /** Caches that share the L2, as processes would. Default: 2. */
  readonly nodes?: number
  /** Default: 40. */
  readonly keys?: number
  readonly cache?: Partial<CacheOptions>
}

export interface LoadParts {
  /** Turns; each reads by all three ways on one node. Default: 300. */
  readonly perSecond?: number
  /** Changes of the truth, with the invalidation of what it concerns. Default: 4. */
  readonly changesPerSecond?: number
  /** The load lasts as long as this. */
  while(): Promise<unknown>
}

interface Node {
  readonly cache: Cache
  readonly ways: Record<'remote' | 'both', CachedFunction<[string], Value>>
  readonly errors: { readonly at: number; readonly kind: string; readonly error: unknown }[]
  /** Calls of the origin, in all and those for reads with L1. */
  originCalls: number
  loadsWithL1: number
  reads: number
  gaps: number
}

let rigs = 0

/** Caches over one L2 under load, the truth behind them, and the history of all of it. */
export class Rig {
  readonly nodes: readonly Node[]
  readonly ids: readonly string[]
  readonly reads: Read[] = []
  readonly changes: Change[] = []
  readonly states: StateChange[] = []
  /** Stretches in which this process was not run, as a timer of 5 ms saw it. */
  readonly #lags: { readonly at: number; readonly ms: number }[] = []
  readonly #truth = new Map<string, number>()
  readonly #control: CachedFunction<[string], Value>
  readonly #controlCache: Cache
  readonly #lagTimer: NodeJS.Timeout
  #turns = 0

  constructor({ l2, nodes = 2, keys = 40, cache = {} }: RigOptions) {
    this.ids = Array.from({ length: keys }, (_, index) => `id-${index}`)
    const name = `faults-${process.pid}-${++rigs}`
    this.nodes = Array.from({ length: nodes }, (_, node) => this.#node(node, name, l2(node), cache))
    this.#controlCache = createCache({ name, l1: false, ttl: '5m' })
    this.#control = this.#controlCache.cached((id: string) => this.#origin(id))
    let last = performance.now()
    this.#lagTimer = setInterval(() => {
      const now = performance.now()
      if (now - last > 5.5) this.#lags.push({ at: now, ms: now - last - 5 })
      last = now
    }, 5)
  }

  /** That of the first node. */
  get cache(): Cache {
    return (this.nodes[0] as Node).cache
  }

  health(node = 0): CacheHealth['l2'] {
    return (this.nodes[node] as Node).cache.health().l2
  }

  /** Both breakers closed and all nodes connected. */
  get usable(): boolean {
    return this.nodes.every((_, node) => isUsable(this.health(node)))
  }

  async untilUsable(withinMs = 10_000): Promise<void> {
    await until('all nodes use L2', () => this.usable, { withinMs, everyMs: 2 })
  }

  /** Reads every key by every way, so that both levels hold them. */
  async fill(): Promise<void> {
    for (const [node] of this.nodes.entries()) {
      await Promise.all(
        this.ids.flatMap((id) => [this.read(node, 'remote', id), this.read(node, 'both', id)]),
      )
    }
    // A commit delays nobody, so a read may be answered before L2 has it.
    await until('L2 holds all keys', async () => {
      const found = await Promise.all(this.ids.map((id) => this.read(0, 'remote', id)))
      return found.every(({ source }) => source === 'l2')
    })
  }

  async read(node: number, way: Way, id: string, turnNumber = -1): Promise<Read> {
    const on = this.nodes[node] as Node
    const start = performance.now()
    const base = { node, way, id, start, turn: turnNumber }
    const before = process.resourceUsage().involuntaryContextSwitches
    const ended = (): Pick<Read, 'end' | 'switches'> => ({
      end: performance.now(),
      switches: [before, process.resourceUsage().involuntaryContextSwitches],
    })
    if (way !== 'control') on.reads++
    let read: Read
    try {
      const { value, source } = await (way === 'control' ? this.#control : on.ways[way]).detail(id)
      read = { ...base, ...ended(), source, version: value.version }
      if (value.id !== id) throw new Error(`the value of ${value.id} as that of ${id}`)
    } catch (error) {
      read = { ...base, ...ended(), error }
    }
    this.reads.push(read)
    return read
  }

  /** Changes the truth and invalidates: by key or by tag, in turn. */
  async change(id: string, node = 0): Promise<Change> {
    const version = (this.#truth.get(id) ?? 0) + 1
    this.#truth.set(id, version)
    const { cache, ways } = this.nodes[node] as Node
    const called = performance.now()
    const results =
      version % 2 === 0
        ? [await cache.invalidateTag(id)]
        : await Promise.all([ways.remote.invalidate(id), ways.both.invalidate(id)])
    const durable = results.every((result) => result.durable)
    const change = { node, id, version, called, acked: performance.now(), durable }
    this.changes.push(change)
    return change
  }

  /** Resolves when the last call is answered; to what was read meanwhile. */
  async load(parts: LoadParts): Promise<Read[]> {
    const { perSecond = 300, changesPerSecond = 4 } = parts
    const from = this.reads.length
    const stop = new AbortController()
    const running = [
      runLoad({
        callsPerSecond: perSecond,
        forMs: 120_000,
        signal: stop.signal,
        call: () => this.#turn(),
      }),
      this.#changing(changesPerSecond, stop.signal),
    ]
    try {
      await parts.while()
    } finally {
      stop.abort()
      await Promise.all(running)
    }
    return this.reads.slice(from)
  }

  /**
   * What a bound in milliseconds has to allow for between the two instants: twice the time in which
   * this process was not run, since the servers had to wait for a processor as well. Next to nothing
   * on a machine that has nothing else to do.
   */
  lag(from: number, to: number): number {
    const within = this.#lags.filter(({ at }) => at > from && at < to + 5)
    return 2 * within.reduce((sum, { ms }) => sum + ms, 0)
  }

  /** How often L2 was lost by the node, having been ready before, since then. */
  losses(node: number, from: number): number {
    let wasReady = true
    let losses = 0
    for (const { health, ...state } of this.states) {
      if (state.node !== node || state.at < from) continue
      const isReady = health.state === 'ready'
      if (wasReady && !isReady) losses++
      wasReady = isReady
    }
    return losses
  }

  /** The first instant after `from` at which the node was usable. */
  usableAt(from: number, node = 0): number | undefined {
    return this.states.find(
      (state) => state.node === node && state.at >= from && isUsable(state.health),
    )?.at
  }

  async close(): Promise<void> {
    clearInterval(this.#lagTimer)
    await Promise.all(this.nodes.map(({ cache }) => cache.close({ deadline: 500 })))
    await this.#controlCache.close()
  }

  #node(node: number, name: string, l2: Store, options: Partial<CacheOptions>): Node {
    const cache = createCache({ name, l2, ttl: '5m', refreshAhead: false, ...options })
    const origin = (id: string) => {
      made.originCalls++
      return this.#origin(id)
    }
    const tags = (id: string) => [id]
    const made: Node = {
      cache,
      ways: {
        remote: cache.cached(origin, { name: 'remote', tags, l1: false }),
        both: cache.cached(
          (id: string) => {
            made.loadsWithL1++
            return origin(id)
          },
          { name: 'both', tags },
        ),
      },
      errors: [],
      originCalls: 0,
      loadsWithL1: 0,
      reads: 0,
      gaps: 0,
    }
    cache.on('error', ({ kind, error }) => made.errors.push({ at: performance.now(), kind, error }))
    cache.on('gap', () => made.gaps++)
    cache.on('l2-state', ({ cache: _cache, ...health }) => {
      const l2Health = { ...health, stalenessMs: 0 }
      this.states.push({ node, at: performance.now(), health: l2Health })
    })
    // First use opens L2: names and options are checked then.
    cache.stats()
    return made
  }

  async #origin(id: string): Promise<Value> {
    const version = this.#truth.get(id) ?? 0
    await turn()
    return { id, version }
  }

  async #turn(): Promise<void> {
    const number = this.#turns++
    const node = number % this.nodes.length
    const id = this.ids[number % this.ids.length] as string
    const ways: Way[] = ['remote', 'control', 'both']
    // Whoever comes first in a turn pays what it wakes up.
    if (number % 2 === 0) ways.reverse()
    await Promise.all(ways.map((way) => this.read(node, way, id, number)))
  }

  async #changing(perSecond: number, signal: AbortSignal): Promise<void> {
    const under: Promise<unknown>[] = []
    for (let number = 0; perSecond > 0 && !signal.aborted; number++) {
      const id = this.ids[(number * 7) % this.ids.length] as string
      under.push(this.change(id, number % this.nodes.length))
      await sleep(1_000 / perSecond, undefined, { signal }).catch(() => {})
    }
    await Promise.all(under)
  }
}

function isUsable({ state, breaker }: CacheHealth['l2']): boolean {
  return state === 'ready' && breaker.read === 'closed' && breaker.write === 'closed'
}
