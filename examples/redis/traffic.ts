import { seededRandom } from '../demo/traffic/random.ts'
import { zipf } from '../demo/traffic/zipf.ts'
import { type Answer, NAMES, type Origins, thingOf, UPSTREAMS, type Upstream } from './origins.ts'
import type { Instance } from './service.ts'
import { Tally } from './tally.ts'
import type { Standing, Truth } from './truth.ts'

const READS_PER_SECOND = 300
const CHANGES_PER_SECOND = 5
const THINGS_OF_EACH = 300
const TICK_MS = 10

interface World {
  readonly instances: readonly Instance[]
  readonly truth: Truth
  readonly origins: Origins
  readonly standing: () => Standing
}

/** Callers that ask, and a writer that changes what they ask for, at rates that nothing slows down. */
export class Traffic {
  /** Of an error, or of an answer that was too old; the first of them is enough to begin with. */
  firstProblem: string | undefined
  readonly #world: World
  readonly #random = seededRandom('outage')
  readonly #rank = zipf(THINGS_OF_EACH, 1.1, this.#random)
  readonly #underWay = new Set<Promise<void>>()
  #second = new Tally()
  #timer: NodeJS.Timeout | undefined
  #began = 0
  #reads = 0
  #changes = 0
  #calls = 0
  #dollars = 0

  constructor(world: World) {
    this.#world = world
  }

  start(): void {
    this.#began = performance.now()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Resolves when the last one has its answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#underWay)
  }

  /** What happened since the last time. */
  take(): Tally {
    const taken = this.#second
    const { calls, dollars } = this.#world.origins
    taken.originCalls = calls - this.#calls
    taken.dollars = dollars - this.#dollars
    this.#calls = calls
    this.#dollars = dollars
    this.#second = new Tally()
    return taken
  }

  #tick(): void {
    const seconds = (performance.now() - this.#began) / 1000
    while (this.#changes < seconds * CHANGES_PER_SECOND) {
      this.#changes++
      this.#track(this.#change())
    }
    while (this.#reads < seconds * READS_PER_SECOND) {
      this.#reads++
      this.#track(this.#read())
    }
  }

  #track(task: Promise<void>): void {
    const tracked: Promise<void> = task.finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
  }

  async #read(): Promise<void> {
    const upstream = this.#pick(NAMES)
    const id = String(this.#rank())
    const instance = this.#pick(this.#world.instances)
    const askedAt = performance.now()
    this.#second.dollarsWithout += UPSTREAMS[upstream].dollars
    try {
      const { value, source } = await instance.read(upstream, id)
      this.#check(instance, upstream, id, value, source, askedAt)
    } catch (error) {
      this.#second.errors++
      this.firstProblem ??= `a read failed: ${String(error)}`
    }
  }

  #check(
    { name }: Instance,
    upstream: Upstream,
    id: string,
    answer: Answer,
    source: string,
    askedAt: number,
  ): void {
    const { truth, standing } = this.#world
    const thing = thingOf(upstream, id)
    if (answer.id !== id) throw new Error('the answer of another key')
    const stale = truth.staleness(thing, answer.version, name, askedAt, standing())
    this.#second.answered(source, performance.now() - askedAt, stale)
    if (stale && stale.ms > stale.allowedMs) {
      this.firstProblem ??= `${name} served ${thing} ${Math.round(stale.ms)} ms after its invalidation, ${Math.round(stale.allowedMs)} ms allowed`
    }
  }

  async #change(): Promise<void> {
    const upstream = this.#pick(NAMES)
    const id = String(this.#rank())
    const instance = this.#pick(this.#world.instances)
    try {
      await this.#world.truth.change(thingOf(upstream, id), instance.name, () =>
        instance.invalidate(upstream, id),
      )
    } catch (error) {
      this.#second.errors++
      this.firstProblem ??= `an invalidation failed: ${String(error)}`
    }
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T
  }
}
