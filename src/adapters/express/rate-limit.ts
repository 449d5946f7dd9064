import type { Request, RequestHandler, Response } from 'express'
import type { PermitSource, Refusal } from '../../contracts/permit.ts'
import type { Cost } from '../../contracts/runner.ts'
import { kindOf } from '../../kernel/duration.ts'
import { checkCount, checkFunction, checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { LimitersByKey } from './limiters-by-key.ts'
import { whenOver } from './when-over.ts'

/** Options of {@link rateLimit}. */
export interface RateLimitOptions {
  /**
   * A `rateLimiter()` or a `bulkhead()` for all requests, or a function that gives the one of a request.
   * With `key` the function is called once for each key, to make its limiter.
   */
  limiter: PermitSource | ((request: Request) => PermitSource)
  /**
   * Whose budget a request is of: a client, a tenant. `undefined` lets it through unlimited; anything
   * else than text, a promise for one, is an error.
   */
  key?: (request: Request) => string | undefined
  /** What a request takes. @default 1 */
  cost?: (request: Request) => Cost
  /** Keys whose limiters are kept, those seen last. @default 10000 */
  maxKeys?: number
  /** Of the limit in the `RateLimit` header: letters, digits, `-` and `_`. @default 'default' */
  name?: string
}

/** So that a header can carry it without quoting. */
const NAME = /^[\w-]+$/

/**
 * Answers 429 where the limiter has nothing left: with `Retry-After` in whole seconds, `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10) and a JSON body `{ code, message, retryAfterMs }`. A request
 * never waits. What a permit holds in flight is given back when the response is over.
 *
 * ```ts
 * const perClient = () => rateLimiter({ limits: { requests: perMinute(60) } })
 * app.use('/api', rateLimit({ limiter: perClient, key: (req) => req.ip }))
 * ```
 *
 * @throws ERR_INVALID_OPTION. What `limiter`, `key` and `cost` throw goes to Express's error handler.
 */
export function rateLimit(options: RateLimitOptions): RequestHandler {
  const { name = 'default', cost } = checked(options)
  const limiterOf = chooser(options)
  return (request, response, next) => {
    let granted: ReturnType<PermitSource['tryAcquire']> | undefined
    try {
      granted = limiterOf(request)?.tryAcquire(cost?.(request))
    } catch (error) {
      next(error)
      return
    }
    if (granted?.ok === false) {
      refuse(response, granted, name)
      return
    }
    if (granted) whenOver(response, () => granted.release())
    next()
  }
}

function checked(options: RateLimitOptions): RateLimitOptions {
  const names = ['limiter', 'key', 'cost', 'maxKeys', 'name']
  checkOptionNames(options as unknown, names, 'rateLimit()')
  const { limiter, key, cost, maxKeys, name } = options
  if (!isSource(limiter) && typeof limiter !== 'function') {
    throw invalidOption(
      `limiter must be a rateLimiter() or a function that gives one, got ${kindOf(limiter)}`,
    )
  }
  checkFunction(key, 'key')
  checkFunction(cost, 'cost')
  checkCount(maxKeys, 'maxKeys')
  if (key && isSource(limiter)) {
    throw invalidOption(
      'key needs a function as limiter, which makes one for each key: () => rateLimiter({ … })',
    )
  }
  if (name !== undefined && !(typeof name === 'string' && NAME.test(name))) {
    throw invalidOption(`name must be letters, digits, - and _; got ${kindOf(name)}`)
  }
  return options
}

function chooser(options: RateLimitOptions): (request: Request) => PermitSource | undefined {
  const { limiter, key, maxKeys = 10_000 } = options
  if (isSource(limiter)) return () => limiter
  if (!key) return limiter
  const limiters = new LimitersByKey(limiter, maxKeys)
  return (request) => {
    const whose: unknown = key(request)
    if (whose !== undefined && typeof whose !== 'string') throw noKey(whose)
    return whose === undefined ? undefined : limiters.of(whose, request)
  }
}

/** A promise would be a new key, and so a new budget, for each request. */
function noKey(value: unknown): Error {
  if (value instanceof Promise) value.catch(() => {})
  return invalidOption(
    `key must give text or undefined, at once, got ${kindOf(value)}; what has to be awaited is done ` +
      'by a middleware before',
  )
}

/** A limiter is a function too, as every Runner is. */
function isSource(value: unknown): value is PermitSource {
  return typeof (value as Partial<PermitSource> | null)?.tryAcquire === 'function'
}

function refuse(response: Response, { retryAfterMs }: Refusal, name: string): void {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
  // Infinity: a cost that is above the whole budget never fits.
  if (Number.isFinite(seconds)) {
    response.setHeader('Retry-After', String(seconds))
    response.setHeader('RateLimit', `"${name}";r=0;t=${seconds}`)
  }
  response.status(429).json({
    code: 'ERR_RATE_LIMITED',
    message: 'Too many requests: try again after the time in Retry-After',
    retryAfterMs: Number.isFinite(retryAfterMs) ? Math.ceil(retryAfterMs) : null,
  })
}
