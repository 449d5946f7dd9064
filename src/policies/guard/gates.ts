import type { Clock } from '../../contracts/clock.ts'
import type { BreakerGate, PermitSource } from '../../contracts/permit.ts'
import type { ForeignLimiter, Runner } from '../../contracts/runner.ts'
import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import type { CircuitBreakerOptions } from '../breaker/breaker-options.ts'
import { circuitBreaker } from '../breaker/circuit-breaker.ts'
import { bulkhead } from '../bulkhead/bulkhead.ts'
import type { BulkheadOptions } from '../bulkhead/bulkhead-options.ts'
import type { RateLimiterOptions } from '../rate/limiter-options.ts'
import { rateLimiter } from '../rate/rate-limiter.ts'
import type { GuardOptions } from './guard-options.ts'

/** A stage that is called as a Runner: it has no manual form. */
export type AsRunner = Runner | ForeignLimiter

/** The stages between retry and time-out, built where only options were given. */
export interface Gates {
  readonly breaker: BreakerGate | AsRunner | undefined
  readonly limit: PermitSource | AsRunner | undefined
  readonly bulkhead: PermitSource | AsRunner | undefined
}

interface World {
  readonly name: string | undefined
  readonly clock: Clock
  readonly random: () => number
}

export function buildGates(options: GuardOptions, world: World): Gates {
  const { breaker, limit, bulkhead: cells } = options
  if (isPermitSource(breaker)) throw misplaced('breaker', 'a limiter', 'limit or bulkhead')
  for (const [name, given] of Object.entries({ limit, bulkhead: cells })) {
    if (isBreakerGate(given)) throw misplaced(name, 'a breaker', 'breaker')
  }
  return {
    breaker: isBuilt(breaker, isBreakerGate)
      ? breaker
      : circuitBreaker({ ...named(world), ...breakerOptions(breaker) }),
    limit: isBuilt(limit, isPermitSource)
      ? limit
      : rateLimiter({ ...named(world), ...checked<RateLimiterOptions>(limit, 'limit') }),
    bulkhead: isBuilt(cells, isPermitSource) ? cells : bulkhead(cellsOf(cells, world)),
  }
}

export function isBreakerGate(value: unknown): value is BreakerGate {
  return has(value, 'admit')
}

export function isPermitSource(value: unknown): value is PermitSource {
  return has(value, 'tryAcquire') && has(value, 'acquire')
}

/** Nothing, a thing with a manual form, or a function that is called as a Runner. */
function isBuilt<G>(
  given: unknown,
  isGate: (value: unknown) => value is G,
): given is G | AsRunner | undefined {
  return given === undefined || isGate(given) || typeof given === 'function'
}

function breakerOptions(given: unknown): CircuitBreakerOptions {
  const options = checked<CircuitBreakerOptions>(given, 'breaker')
  if (options.timeout === undefined) return options
  throw invalidOption(
    'breaker.timeout has no place in a guard, whose own timeout is the time-out of its attempts: ' +
      'give it as timeout',
  )
}

function cellsOf(given: unknown, { name, clock }: World): BulkheadOptions {
  const own =
    typeof given === 'number' ? { max: given } : checked<BulkheadOptions>(given, 'bulkhead')
  return { ...(name === undefined ? {} : { name }), clock, ...own }
}

function named({ name, clock, random }: World) {
  return { ...(name === undefined ? {} : { name }), clock, random }
}

/** What is in it is checked by whoever builds the stage. */
function checked<O extends object>(given: unknown, option: string): O {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as O
  throw invalidOption(
    `${option} must be its options, an instance, or a limiter such as pLimit(5); got ${kindOf(given)}`,
  )
}

function misplaced(option: string, kind: string, place: string): Error {
  return invalidOption(`${option} of guard() was given ${kind}: give it as ${place}`)
}

function has(value: unknown, method: string): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof (value as Record<string, unknown>)[method] === 'function'
}
