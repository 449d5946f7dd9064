import { shown } from '../kernel/duration.ts'
import { invalidOption } from '../kernel/options.ts'
import type { CachedFunction } from './cached-function.ts'
import type { RegionOpener } from './region-opener.ts'
import { checkFunctionOptions, type Given } from './resolve-options.ts'
import { wrap } from './wrap.ts'
import type { AnyFunction } from './wrapped-core.ts'

/** What `cached(options)` gives: a method decorator of either kind, and a wrapper of functions. */
export interface CachedDecorator {
  /** TC39 decorators. */
  // biome-ignore lint/suspicious/noExplicitAny: the constraint of the standard's own type
  <T, F extends (this: T, ...args: any) => any>(
    method: F,
    context: ClassMethodDecoratorContext<T, F>,
  ): F
  /** Decorators of `experimentalDecorators`. */
  (target: object, name: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor
  /** Wraps a function. */
  <A extends unknown[], V>(origin: (...args: A) => V): CachedFunction<A, Awaited<V>>
}

/** Tells by the arguments what it is called as; anything else is an error that says what is wrong. */
export function decoratorOrWrapper(options: Given, cacheOf: () => RegionOpener): CachedDecorator {
  checkFunctionOptions(options)
  return function cachedDecorator(...call: unknown[]): unknown {
    const [first, second, third] = call
    if (call.length === 1 && typeof first === 'function') {
      return wrap(first as AnyFunction, options, cacheOf)
    }
    if (isStandardContext(second)) return standard(first, second, options, cacheOf)
    if (call.length >= 2 && (typeof second === 'string' || typeof second === 'symbol')) {
      return legacy(third as PropertyDescriptor | undefined, options, cacheOf)
    }
    throw invalidOption(
      'cached(options) decorates a method, or wraps a function: cached(options)(fn); ' +
        `it was called with ${call.map(shown).join(', ')}`,
    )
  } as CachedDecorator
}

interface StandardContext {
  readonly kind: string
  readonly name: string | symbol
}

function isStandardContext(value: unknown): value is StandardContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value
}

function standard(
  method: unknown,
  { kind, name }: StandardContext,
  options: Given,
  cacheOf: () => RegionOpener,
): unknown {
  if (kind !== 'method') {
    throw invalidOption(`@cached decorates methods, not a ${kind}; '${String(name)}' is none`)
  }
  return wrap(method as AnyFunction, options, cacheOf, true)
}

function legacy(
  descriptor: PropertyDescriptor | undefined,
  options: Given,
  cacheOf: () => RegionOpener,
): PropertyDescriptor {
  if (typeof descriptor?.value !== 'function') {
    throw invalidOption('@cached decorates methods, not fields or accessors')
  }
  return { ...descriptor, value: wrap(descriptor.value as AnyFunction, options, cacheOf, true) }
}
