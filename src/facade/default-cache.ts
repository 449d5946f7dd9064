import { ResilienceError } from '../kernel/errors.ts'
import type { LoadContext } from '../read-path/policy.ts'
import type { Cache } from './cache.ts'
import type { CachedFunction } from './cached-function.ts'
import { createCache } from './create-cache.ts'
import { type CachedDecorator, decoratorOrWrapper } from './decorator-shape.ts'
import type { CacheOptions, FunctionOptions } from './options.ts'
import { checkCacheOptions, type Given } from './resolve-options.ts'
import { wrap } from './wrap.ts'
import type { AnyFunction } from './wrapped-core.ts'

let options: CacheOptions = {}
let current: Cache | undefined

/**
 * The options of the process's default cache, which `cached` of this module uses. Call it before the
 * first use: wrapping and decorating are none.
 * @throws ERR_ALREADY_CONFIGURED once the default cache was used
 */
export function configureCache(given: CacheOptions): void {
  checkCacheOptions(given)
  if (current) {
    throw new ResilienceError(
      'ERR_ALREADY_CONFIGURED',
      'the default cache was used before configureCache(): call it at the start of the program',
    )
  }
  options = given
}

/** The process's default cache, made at its first use: L1 only unless configured. */
export function defaultCache(): Cache {
  current ??= createCache(options)
  return current
}

/**
 * Wraps a function, or decorates a method, over the process's default cache.
 *
 * ```ts
 * const getPartner = cached(fetchPartner, { ttl: '1h' })
 *
 * class Invoices {
 *   \@cached({ ttl: '10m', scope: 'class' })
 *   async byId(id: number) { … }
 * }
 * ```
 * @throws ERR_INVALID_OPTION for wrong options, naming the nearest right one
 */
export function cached<A extends unknown[], V>(
  origin: (context: LoadContext<Awaited<V>>, ...args: A) => V,
  options: FunctionOptions<NoInfer<A>, NoInfer<Awaited<V>>> & { context: true },
): CachedFunction<A, Awaited<V>>
export function cached<A extends unknown[], V>(
  origin: (...args: A) => V,
  options?: FunctionOptions<NoInfer<A>, NoInfer<Awaited<V>>> & { context?: false },
): CachedFunction<A, Awaited<V>>
export function cached(options?: FunctionOptions<never[], never>): CachedDecorator
export function cached(first?: unknown, second?: unknown): unknown {
  return typeof first === 'function'
    ? wrap(first as AnyFunction, (second ?? {}) as Given, defaultCache)
    : decoratorOrWrapper((first ?? {}) as Given, defaultCache)
}
