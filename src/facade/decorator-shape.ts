import { kindOf } from '../kernel/duration.ts'
import { invalidOption } from '../kernel/options.ts'
import type { LoadContext } from '../read-path/policy.ts'
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

/** The same with `context: true`: what it wraps takes a `LoadContext` before its arguments. */
export interface ContextDecorator {
  // biome-ignore lint/suspicious/noExplicitAny: the constraint of the standard's own type
  <T, F extends (this: T, ...args: any) => any>(
    method: F,
    context: ClassMethodDecoratorContext<T, F>,
  ): F
  (target: object, name: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor
  <A extends unknown[], V, S = Awaited<V>>(
    origin: (context: LoadContext<S>, ...args: A) => V,
  ): CachedFunction<A, Awaited<V>>
}

/** Tells the two call shapes of `cached` apart: `(fn, options)` and `(options)`. */
export function cachedAs(call: readonly unknown[], cacheOf: () => RegionOpener): unknown {
  const [first, second = {}] = call
  if (typeof first === 'function') return wrap(first as AnyFunction, second as Given, cacheOf)
  if (call.length === 0) return decoratorOrWrapper({}, cacheOf)
  const isOptions = typeof first === 'object' && first !== null && !Array.isArray(first)
  if (call.length === 1 && isOptions) return decoratorOrWrapper(first as Given, cacheOf)
  throw invalidOption(
    'cached(fn, options) wraps a function and @cached(options) decorates a method; ' +
      `it was called with ${call.map(kindOf).join(' and ')}`,
  )
}

/** Tells by the arguments what it is called as; anything else is an error that says what is wrong. */
function decoratorOrWrapper(options: Given, cacheOf: () => RegionOpener): CachedDecorator {
  checkFunctionOptions(options)
  return function cachedDecorator(...call: unknown[]): unknown {
    const [first, second, third] = call
    if (isStandardContext(second)) {
      if (second.kind !== 'method') throw wrongTarget(second.kind, second.name)
      return wrap(first as AnyFunction, options, cacheOf, true)
    }
    if (typeof second === 'string' || typeof second === 'symbol') {
      const method = legacyMethod(second, third)
      return { ...(third as PropertyDescriptor), value: wrap(method, options, cacheOf, true) }
    }
    if (call.length === 1 && typeof first === 'function') {
      return wrap(first as AnyFunction, options, cacheOf)
    }
    throw invalidOption(
      '@cached(options) decorates a method and cached(options)(fn) wraps a function; ' +
        `it was called with ${call.map(kindOf).join(' and ') || 'nothing'}`,
    )
  } as CachedDecorator
}

interface StandardContext {
  readonly kind: string
  readonly name: string | symbol | undefined
}

function isStandardContext(value: unknown): value is StandardContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value
}

/** The third argument is the descriptor of a member, nothing for a field, a number for a parameter. */
function legacyMethod(name: string | symbol, third: unknown): AnyFunction {
  if (typeof third === 'number') throw wrongTarget('parameter', name)
  if (typeof third !== 'object' || third === null) throw wrongTarget('field', name)
  const { value, get } = third as PropertyDescriptor
  if (typeof value === 'function') return value as AnyFunction
  throw wrongTarget(get ? 'getter' : 'setter', name)
}

const REMEDIES: Readonly<Record<string, string>> = {
  class: 'decorate its methods',
  parameter: 'decorate the method itself',
}

function wrongTarget(kind: string, name: string | symbol | undefined): Error {
  const article = /^[aeiou]/.test(kind) ? 'an' : 'a'
  const whose = kind === 'parameter' ? 'of' : 'named'
  const remedy = REMEDIES[kind] ?? 'make it a method'
  return invalidOption(
    `@cached decorates methods, not ${article} ${kind} ${whose} '${String(name)}': ` +
      `${remedy}, or wrap a function with cached(fn, options)`,
  )
}
