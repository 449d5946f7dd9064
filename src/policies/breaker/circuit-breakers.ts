import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import type { CircuitBreakersOptions } from './breaker-options.ts'
import { Circuit } from './circuit.ts'
import { breakerOf, type CircuitBreaker } from './circuit-breaker.ts'
import { resolveRegistryOptions } from './resolve-options.ts'
import type { BreakerState } from './snapshot.ts'

/** One breaker for each key, such as a host or a tenant. */
export interface CircuitBreakers {
  /** The breaker of `key`, made at its first use. Ask each time: what is not used may be forgotten. */
  (key: string): CircuitBreaker
  /** That of all its breakers. */
  readonly name: string
  /** What is kept at present, with its keys: for health pages, not for labels of metrics. */
  entries(): IterableIterator<[key: string, breaker: CircuitBreaker]>
  /** How many breakers are in which state, and how many were forgotten since it was made. */
  stats(): Record<BreakerState, number> & { readonly forgotten: number }
}

/** What is forgotten first when there are too many. */
const BY_WORTH: readonly BreakerState[] = ['closed', 'half-open', 'open', 'isolated']

/**
 * A bounded registry of breakers with the same options, one for each key. When there are more than
 * `max`, it forgets the closed one that was not used for longest. One that is not closed knows something
 * that would have to be found out again at the price of failed calls: it goes only if all `max` are like
 * that, half-open ones first, isolated ones last.
 * @throws ERR_INVALID_OPTION, for a key that is not text too
 */
export function circuitBreakers(options: CircuitBreakersOptions = {}): CircuitBreakers {
  const settings = resolveRegistryOptions(options)
  /** The least recently used first. */
  const breakers = new Map<string, CircuitBreaker>()
  const circuits = new WeakMap<CircuitBreaker, Circuit>()
  let forgotten = 0

  const make = (): CircuitBreaker => {
    const circuit = new Circuit(settings)
    const breaker = breakerOf(circuit)
    circuits.set(breaker, circuit)
    return breaker
  }

  const forget = (key: string): void => {
    circuits.get(breakers.get(key) as CircuitBreaker)?.engine.retire()
    breakers.delete(key)
    forgotten++
  }

  const breakerFor = (key: string): CircuitBreaker => {
    if (typeof key !== 'string') {
      throw invalidOption(`the key of a circuit breaker must be text, got ${kindOf(key)}`)
    }
    const known = breakers.get(key)
    if (known) breakers.delete(key)
    else if (breakers.size >= settings.max) forget(leastWorth(breakers))
    const breaker = known ?? make()
    breakers.set(key, breaker)
    return breaker
  }

  return Object.defineProperties(breakerFor, {
    name: { value: settings.name },
    entries: { value: () => breakers.entries() },
    stats: {
      value: () => {
        const stats = { closed: 0, open: 0, 'half-open': 0, isolated: 0, forgotten }
        for (const { state } of breakers.values()) stats[state]++
        return stats
      },
    },
  }) as CircuitBreakers
}

/** @returns the key of the breaker that is the least loss */
function leastWorth(breakers: ReadonlyMap<string, CircuitBreaker>): string {
  let chosen = ''
  let worth = BY_WORTH.length
  for (const [key, { state }] of breakers) {
    const itsWorth = BY_WORTH.indexOf(state)
    if (itsWorth < worth) {
      chosen = key
      worth = itsWorth
    }
    if (worth === 0) break
  }
  return chosen
}
