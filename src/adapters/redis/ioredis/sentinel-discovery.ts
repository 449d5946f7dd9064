import type { Clock } from '../../../contracts/clock.ts'
import { ResilienceError } from '../../../kernel/errors.ts'
import type { TransportWorld } from '../transport.ts'
import type { Candidate, Discovery, DiscoveryWatcher, Endpoint, ServerInfo } from './discovery.ts'
import { causeOf, countCauses, remedyOf } from './failure-cause.ts'
import { type NameLookup, namesOf } from './name-lookup.ts'
import { SentinelAttempts } from './sentinel-attempts.ts'
import { textOf, type Verdict } from './sentinel-ballot.ts'
import { SentinelComplaints, unknownName } from './sentinel-complaints.ts'
import { decide } from './sentinel-decision.ts'
import { SentinelLinks, type SentinelNetwork, type SentinelTarget } from './sentinel-links.ts'
import { pollSentinels } from './sentinel-poll.ts'
import { SentinelWatch } from './sentinel-watch.ts'
import type { Settings } from './settings.ts'

/** A server that may not be the master any more keeps nothing for longer than this. */
const UNSURE_KEEP_MS = 60_000
const SILENCE_MS = 1000

interface KnownMaster extends Endpoint {
  /** Seen while it was under Sentinel. */
  readonly replicas: number
}

/** For tests: a network and names of their own. */
export interface SentinelParts {
  readonly network?: SentinelNetwork
  readonly names?: NameLookup
}

/**
 * Finds the master through Sentinel, and a server to go on with when Sentinel is gone: the last
 * known master, then the standalone ones. Afterwards it watches where the master is.
 */
export class SentinelDiscovery implements Discovery {
  readonly #target: SentinelTarget
  readonly #clock: Clock
  readonly #names: NameLookup
  readonly #network: SentinelNetwork
  readonly #watch: SentinelWatch
  readonly #complaints: SentinelComplaints
  readonly #attempts = new SentinelAttempts()
  /** Why a sentinel has not named a master, in the latest round. */
  readonly #causes = new Map<Endpoint, string>()
  #watcher: DiscoveryWatcher | undefined
  #lastKnown: KnownMaster | undefined
  #held: Candidate | undefined
  #pending: Candidate | undefined
  #moving: Endpoint | undefined
  #latest: { readonly verdict: Verdict; readonly at: number } | undefined
  #isStopped = false
  #finding = 0

  constructor(
    target: SentinelTarget,
    settings: Settings,
    { clock, random }: TransportWorld,
    parts: SentinelParts = {},
  ) {
    this.#target = target
    this.#clock = clock
    this.#names = parts.names ?? namesOf(clock)
    this.#network = parts.network ?? new SentinelLinks(target, settings, clock, this.#names)
    this.#complaints = new SentinelComplaints(target.sentinels, (error) => {
      if (!this.#isStopped) this.#watcher?.onError(error)
    })
    this.#watch = new SentinelWatch({
      sentinels: target.sentinels,
      masterName: target.masterName,
      clock,
      random,
      open: (sentinel) => this.#network.open(sentinel),
      isHealthy: () => this.#held?.source === 'sentinel',
      ask: () => this.#review(),
    })
  }

  async find(): Promise<Candidate> {
    this.#held = undefined
    this.#pending = undefined
    this.#watch.reschedule()
    this.#finding++
    try {
      const verdict = await this.#ballot()
      const candidate = this.#candidates(verdict).find((one) => this.#attempts.isUntried(one))
      if (!candidate || this.#isStopped) throw this.#nothingFound(verdict)
      this.#pending = candidate
      return candidate
    } finally {
      this.#finding--
      this.#moving = undefined
    }
  }

  check(candidate: Candidate, info: ServerInfo): Error | undefined {
    const isSentinel = info.redis_mode === 'sentinel'
    if (!isSentinel && (info.role === undefined || info.role === 'master')) return undefined
    // It may be a master again some day, but then Sentinel will say so.
    if (this.#isLastKnown(candidate)) this.#lastKnown = undefined
    const what = isSentinel ? 'a sentinel' : 'a replica'
    return new ResilienceError(
      'ERR_L2_UNAVAILABLE',
      `READONLY ${textOf(candidate)} is ${what}, not the master: check the address if this lasts.`,
    )
  }

  accepted(candidate: Candidate, info: ServerInfo): void {
    this.#pending = undefined
    this.#held = candidate
    this.#attempts.accepted(candidate)
    if (candidate.source === 'sentinel') {
      this.#remember(candidate, Number(info.connected_slaves) || 0)
    } else if (!candidate.readOnly && this.#looksIsolated(candidate, info)) {
      this.#held = { ...candidate, readOnly: true }
      this.#watcher?.onSource(this.#held)
    }
    // So that the name of a standalone server can be compared with the address the sentinels give.
    this.#names.resolve(candidate.host).catch(() => {})
    this.#watch.reschedule()
  }

  refused(candidate: Candidate, error: Error): void {
    this.#held = undefined
    this.#pending = undefined
    this.#attempts.refused(candidate, error, this.#clock.now())
    this.#watch.reschedule()
  }

  start(watcher: DiscoveryWatcher): void {
    this.#watcher = watcher
    if (!this.#isStopped) this.#watch.start()
  }

  stop(): void {
    this.#isStopped = true
    this.#watch.stop()
    this.#network.close()
  }

  #candidates({ majority, named }: Verdict): Candidate[] {
    const { fallback, standalone } = this.#target
    // Without a majority, the one that was right before is the likelier among equals.
    const voted = majority
      ? [majority]
      : [...named].sort((a, b) => Number(this.#isLastKnown(b)) - Number(this.#isLastKnown(a)))
    const found = voted.map(({ host, port }): Candidate => ({ host, port, source: 'sentinel' }))
    if (fallback === 'off') return found
    const limits = { maxKeepMs: UNSURE_KEEP_MS, readOnly: fallback === 'read-only' }
    const last = this.#lastKnown
    if (last) found.push({ host: last.host, port: last.port, source: 'last-known', ...limits })
    for (const { host, port } of standalone) {
      found.push({ host, port, source: 'standalone', ...limits })
    }
    return found
  }

  /**
   * Sentinels that did not answer a moment ago are not waited for before each candidate; those that
   * did are asked again, since a failover may be what made the last candidate fail.
   */
  async #ballot(): Promise<Verdict> {
    const latest = this.#latest
    const isRecent = latest && this.#clock.now() - latest.at < SILENCE_MS
    if (isRecent && this.#attempts.hasTried && !latest.verdict.majority) return latest.verdict
    const verdict = await this.#poll()
    this.#latest = { verdict, at: this.#clock.now() }
    return verdict
  }

  #poll(): Promise<Verdict> {
    const { sentinels, masterName } = this.#target
    return pollSentinels(sentinels, (sentinel) => this.#network.ask(sentinel), {
      onAnswer: (sentinel, { address }) => {
        if (address) this.#causes.delete(sentinel)
        else this.#causes.set(sentinel, 'unknown master name')
        this.#complaints.answered(sentinel, address)
      },
      onFailure: (sentinel, error) => {
        this.#causes.set(sentinel, causeOf(error))
        this.#complaints.failed(sentinel, error)
      },
      onComplete: (verdict) => this.#complaints.complete(verdict, masterName),
    })
  }

  /** A turn of the watcher. */
  async #review(): Promise<Endpoint | undefined> {
    const { majority, replicas } = await this.#poll()
    if (this.#isStopped || !majority) return majority
    const decision = decide({
      named: majority,
      held: this.#held,
      pending: this.#pending,
      moving: this.#moving,
      finding: this.#finding > 0,
      isSame: (a, b) => this.#isSame(a, b),
      wasRefused: (endpoint) => this.#attempts.wasRefused(endpoint),
    })
    if (decision === 'source') this.#confirm(majority)
    else if (decision === 'move') this.#move(majority)
    else if (decision === 'probe') await this.#probe(majority)
    const held = this.#held
    if (held?.source === 'sentinel' && this.#isSame(held, majority)) {
      this.#remember(held, replicas ?? this.#lastKnown?.replicas ?? 0)
    }
    return majority
  }

  #confirm({ host, port }: Endpoint): void {
    this.#held = { host, port, source: 'sentinel' }
    this.#remember(this.#held, this.#lastKnown?.replicas ?? 0)
    this.#watcher?.onSource(this.#held)
  }

  #move(to: Endpoint): void {
    this.#moving = to
    this.#watcher?.onMoved()
  }

  async #probe(endpoint: Endpoint): Promise<void> {
    if (!this.#attempts.mayProbe(endpoint, this.#clock.now())) return
    const before = this.#held ?? this.#pending
    try {
      if (!(await this.#network.isMaster(endpoint))) return
    } catch (error) {
      this.#attempts.keepRefused(endpoint, error as Error, this.#clock.now())
      return
    }
    this.#attempts.forgive(endpoint)
    const isUnchanged = (this.#held ?? this.#pending) === before && this.#finding === 0
    if (isUnchanged && !this.#isStopped) this.#move(endpoint)
  }

  #remember({ host, port }: Endpoint, replicas: number): void {
    this.#lastKnown = { host, port, replicas }
  }

  #isLastKnown(endpoint: Endpoint): boolean {
    return this.#lastKnown !== undefined && this.#isSame(this.#lastKnown, endpoint)
  }

  #isSame(a: Endpoint, b: Endpoint): boolean {
    return a.port === b.port && this.#names.known(a.host) === this.#names.known(b.host)
  }

  /** It had replicas, and now it has none: perhaps they follow another master by now. */
  #looksIsolated(candidate: Candidate, info: ServerInfo): boolean {
    const replicas = this.#isLastKnown(candidate) ? (this.#lastKnown?.replicas ?? 0) : 0
    return replicas > 0 && info.connected_slaves === '0'
  }

  #nothingFound({ answers, unknown }: Verdict): ResilienceError {
    const ofSentinels = [...this.#causes.values()]
    const ofServers = this.#attempts.causes
    this.#attempts.begin()
    if (this.#isStopped) return new ResilienceError('ERR_CLOSED', 'The cache is closed.')
    const isUnknown = answers > 0 && unknown === answers
    const remedy = isUnknown
      ? unknownName(this.#target.masterName)
      : `${capital(remedyOf([...ofSentinels, ...ofServers]) ?? 'check the sentinels')}.`
    const parts = [
      `sentinels: ${countCauses(ofSentinels) || 'no majority'}`,
      ...(ofServers.length > 0 ? [`servers tried: ${countCauses(ofServers)}`] : []),
    ]
    return new ResilienceError(
      'ERR_L2_UNAVAILABLE',
      `No usable Redis master (${parts.join('; ')}). ${remedy}`,
    )
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
