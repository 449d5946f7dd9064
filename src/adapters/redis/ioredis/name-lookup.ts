import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../../../contracts/clock.ts'

export interface NameAddress {
  readonly address: string
  readonly family: number
}

export type LookUp = (name: string) => Promise<readonly NameAddress[]>

/** A look-up that takes longer is not waited for where an earlier answer is known. */
const SLOW_MS = 50
/** Attempts to connect come in bursts; an address that changes is still seen soon. */
const FRESH_MS = 1000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** getaddrinfo blocks one of the four threads that files, zlib and crypto need too. */
const AT_ONCE = 3

interface Name {
  flight: Promise<readonly NameAddress[]> | undefined
  good?: readonly NameAddress[]
  goodAt: number
  failures: number
  retryAt: number
  error?: unknown
}

const lookups = new WeakMap<Clock, NameLookup>()

/** One for all caches of a process: they ask for the same names, from the same four threads. */
export function namesOf(clock: Clock): NameLookup {
  const known = lookups.get(clock)
  if (known) return known
  const made = new NameLookup(clock)
  lookups.set(clock, made)
  return made
}

/**
 * Addresses of names, without letting a DNS outage starve the process: one look-up per name at a
 * time, a pause after a failure, and the last good answer while there is no new one.
 */
export class NameLookup {
  readonly #clock: Clock
  readonly #lookUp: LookUp
  readonly #names = new Map<string, Name>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(clock: Clock, lookUp: LookUp = (name) => systemLookup(name, { all: true })) {
    this.#clock = clock
    this.#lookUp = lookUp
  }

  /** The last good first address, without asking anybody. */
  known(host: string): string {
    return this.#names.get(host)?.good?.[0]?.address ?? host
  }

  /** @throws what the look-up threw, at once during the pause after a failure */
  async resolve(host: string): Promise<readonly NameAddress[]> {
    const family = isIP(host)
    if (family !== 0) return [{ address: host, family }]
    const name = this.#name(host)
    const now = this.#clock.now()
    const { good } = name
    if (good && now - name.goodAt < FRESH_MS) return good
    if (!name.flight && now < name.retryAt) {
      if (good) return good
      throw name.error
    }
    name.flight ??= Promise.resolve().then(() => this.#fly(host, name))
    return good ? this.#unlessSlow(name.flight, good) : name.flight
  }

  /** For the `lookup` option of `net.connect` and `tls.connect`. */
  readonly forSocket: LookupFunction = (host, options, done) => {
    this.resolve(host).then(
      (addresses) => {
        const wanted =
          options.family === 4 || options.family === 6
            ? addresses.filter(({ family }) => family === options.family)
            : addresses
        const first = wanted[0] ?? addresses[0]
        if (!first) done(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 4)
        else if (options.all) done(null, wanted.length > 0 ? [...wanted] : [first])
        else done(null, first.address, first.family)
      },
      (error) => done(error as NodeJS.ErrnoException, '', 4),
    )
  }

  #name(host: string): Name {
    const known = this.#names.get(host)
    if (known) return known
    const made: Name = { flight: undefined, goodAt: 0, failures: 0, retryAt: 0 }
    this.#names.set(host, made)
    return made
  }

  async #fly(host: string, name: Name): Promise<readonly NameAddress[]> {
    try {
      const addresses = await this.#inTurn(host)
      if (addresses.length === 0) {
        throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' })
      }
      name.good = addresses
      name.goodAt = this.#clock.now()
      name.failures = 0
      return addresses
    } catch (error) {
      name.error = error
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** name.failures++, LONGEST_PAUSE_MS)
      name.retryAt = this.#clock.now() + pause
      throw error
    } finally {
      name.flight = undefined
    }
  }

  async #inTurn(host: string): Promise<readonly NameAddress[]> {
    if (this.#running >= AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go))
    this.#running++
    try {
      return await this.#lookUp(host)
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  /** Also where the look-up fails: an old address is better than none. */
  #unlessSlow(
    flight: Promise<readonly NameAddress[]>,
    good: readonly NameAddress[],
  ): Promise<readonly NameAddress[]> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => resolve(good), SLOW_MS, { unref: true })
      flight
        .then(resolve, () => resolve(good))
        .finally(() => this.#clock.clearTimeout(timer))
        .catch(() => {})
    })
  }
}
