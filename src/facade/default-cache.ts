import { ResilienceError } from '../kernel/errors.ts'
import type { LoadContext } from '../read-path/policy.ts'
import type { Cache } from './cache.ts'
import type { CachedFunction } from './cached-function.ts'
import { newCache } from './create-cache.ts'
import { type CachedDecorator, type ContextDecorator, cachedAs } from './decorator-shape.ts'
import type {
  CacheOptions,
  ContextOptions,
  DecoratorOptions,
  Fixed,
  FunctionOptions,
} from './options.ts'
import { checkCacheOptions } from './resolve-options.ts'

let options: CacheOptions = {}
let current: ReturnType<typeof newCache> | undefined

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
  return theOne().cache
}

function theOne(): ReturnType<typeof newCache> {
  current ??= newCache(options)
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
export function cached<A extends unknown[], V, S = Awaited<V>>(
  origin: (context: LoadContext<S>, ...args: A) => V,
  options: ContextOptions<Fixed<A>, NoInfer<Awaited<V>>>,
): CachedFunction<A, Awaited<V>>
export function cached<A extends unknown[], V>(
  origin: (...args: A) => V,
  options?: FunctionOptions<Fixed<A>, NoInfer<Awaited<V>>>,
): CachedFunction<A, Awaited<V>>
export function cached(options: DecoratorOptions & { context: true }): ContextDecorator
export function cached(options?: DecoratorOptions): CachedDecorator
export function cached(...call: unknown[]): unknown {
  return cachedAs(call, () => theOne().territory)
}
