import type { Clock, Timer } from '../../../contracts/clock.ts'
import type { Endpoint } from './discovery.ts'
import type { RespLink } from './resp-link.ts'

/** `+promoted-slave` comes first, from the sentinel that leads; the others follow by `+switch-master`. */
const CHANNELS = ['+switch-master', '+promoted-slave']
const HEALTHY_MS = 5000
const DEGRADED_MS = 1000
const JITTER = 0.2
/** After an announcement: the majority follows the first sentinel within a few of these. */
const BURST_MS: readonly number[] = [0, 20, 20, 30, 50, 80, 100, 200, 500]

export interface WatchSettings {
  readonly sentinels: readonly Endpoint[]
  readonly masterName: string
  readonly clock: Clock
  readonly random: () => number
  open(sentinel: Endpoint): RespLink
  /** In use, and known to be the master that the sentinels name. */
  isHealthy(): boolean
  /** Time to ask. Resolves to what the majority named. */
  ask(): Promise<Endpoint | undefined>
}

/**
 * Says when to ask the sentinels where the master is: every few seconds, and in quick succession
 * after any of them has announced a change. What it announced is not believed, only asked about.
 */
export class SentinelWatch {
  readonly #settings: WatchSettings
  readonly #links = new Map<Endpoint, RespLink>()
  /** Links that owe an answer since the last turn. */
  readonly #silent = new Set<RespLink>()
  #timer: Timer
  #isOn = false
  #isAsking = false
  #burst: { next: number; readonly announced: string } | undefined

  constructor(settings: WatchSettings) {
    this.#settings = settings
  }

  start(): void {
    if (this.#isOn) return
    this.#isOn = true
    this.#listen()
    this.#schedule()
  }

  stop(): void {
    this.#isOn = false
    this.#settings.clock.clearTimeout(this.#timer)
    for (const link of this.#links.values()) link.destroy()
    this.#links.clear()
  }

  /** Whether all is well has changed: the next turn may be due sooner. */
  reschedule(): void {
    if (this.#isOn && !this.#isAsking && !this.#burst) this.#schedule()
  }

  #schedule(): void {
    const { clock } = this.#settings
    clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => void this.#turn(), this.#delay(), { unref: true })
  }

  #delay(): number {
    if (this.#burst) {
      const delay = BURST_MS[this.#burst.next++]
      if (delay !== undefined) return delay
      this.#burst = undefined
    }
    const { isHealthy, random } = this.#settings
    return (isHealthy() ? HEALTHY_MS : DEGRADED_MS) * (1 - JITTER + 2 * JITTER * random())
  }

  async #turn(): Promise<void> {
    const burst = this.#burst
    if (!burst) this.#listen()
    this.#isAsking = true
    const majority = await this.#settings.ask()
    this.#isAsking = false
    if (burst && majority && this.#burst === burst) {
      if (burst.announced === `${majority.host} ${majority.port}`) this.#burst = undefined
    }
    if (this.#isOn) this.#schedule()
  }

  /** Opens what is not open, and drops what has not answered since the last turn. */
  #listen(): void {
    for (const sentinel of this.#settings.sentinels) {
      const link = this.#links.get(sentinel)
      if (link && this.#silent.has(link)) link.destroy()
      if (link && !link.ended) this.#expect(link, link.command('PING'))
      else this.#subscribe(sentinel)
    }
  }

  #subscribe(sentinel: Endpoint): void {
    const link = this.#settings.open(sentinel).unref()
    link.onMessage = (_, text) => this.#announced(text)
    this.#links.set(sentinel, link)
    for (const channel of CHANNELS) this.#expect(link, link.command('SUBSCRIBE', channel))
  }

  #expect(link: RespLink, answer: Promise<unknown>): void {
    this.#silent.add(link)
    answer.then(
      () => this.#silent.delete(link),
      () => this.#silent.delete(link),
    )
  }

  /** `mymaster 10.0.0.1 6379 10.0.0.2 6379`, or `slave … @ mymaster 10.0.0.1 6379`. */
  #announced(text: string): void {
    const words = text.split(' ')
    if (!words.includes(this.#settings.masterName)) return
    const announced = words[0] === 'slave' ? `${words[2]} ${words[3]}` : `${words[3]} ${words[4]}`
    this.#burst = { next: 0, announced }
    if (!this.#isAsking) this.#schedule()
  }
}
