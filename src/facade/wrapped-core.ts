import type { LlmLayer } from '../contracts/llm-layer.ts'
import { kindOf } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { invalidOption } from '../kernel/options.ts'
import { KeyMemo } from '../key/key-memo.ts'
import { keyOf } from '../key/key-of.ts'
import type { LocalKey } from '../l1/local-level.ts'
import type { Policy } from '../read-path/policy.ts'
import type { Read } from '../read-path/read-request.ts'
import type { Region } from '../read-path/region.ts'
import { LlmFunction } from './llm-function.ts'
import type { RegionOpener } from './region-opener.ts'
import type { Given } from './resolve-options.ts'

export type AnyFunction = (...args: never[]) => unknown

/**
 * A wrapped function before and after its first use. Wrapping is not use: module-level code may wrap
 * before the default cache is configured, so the cache is asked for as late as possible.
 */
export class WrappedCore {
  readonly options: Given
  readonly isMethod: boolean
  /** Whether the arguments alone make the key. */
  readonly plainKeys: boolean
  readonly memo: KeyMemo = new KeyMemo()
  region: Region | undefined
  #policy: Policy | undefined
  #disposed = false
  readonly #llm: LlmFunction | undefined
  readonly #origin: AnyFunction
  readonly #cacheOf: () => RegionOpener
  readonly #runInWrapContext: <R>(work: () => R) => R

  constructor(
    origin: AnyFunction,
    options: Given,
    cacheOf: () => RegionOpener,
    runInWrapContext: <R>(work: () => R) => R,
    isMethod: boolean,
  ) {
    this.#origin = origin
    this.options = options
    this.#cacheOf = cacheOf
    this.#runInWrapContext = runInWrapContext
    this.isMethod = isMethod
    const { key, llm, scope } = options
    this.#llm = llm === undefined ? undefined : new LlmFunction(llm as LlmLayer)
    this.plainKeys = key === undefined && llm === undefined && !(isMethod && scope !== 'class')
  }

  get label(): string {
    return (this.options.name as string | undefined) ?? (this.#origin.name || 'anonymous')
  }

  get policy(): Policy {
    this.use()
    return this.#policy as Policy
  }

  /** First use: names are checked, and the region is made. */
  use(): Region {
    if (this.region) return this.region
    if (this.#disposed) {
      throw new ResilienceError('ERR_CLOSED', `the cached function '${this.label}' was disposed of`)
    }
    const cache = this.#cacheOf()
    const { name, version, scope } = this.options
    if (this.isMethod && cache.hasL2 && this.options.l2 !== false && scope === undefined) {
      throw invalidOption(
        `the cached method '${this.label}' needs scope with an L2: 'class' to share its entries ` +
          'among all instances, or a function that names who may share them, e.g. (self) => self.tenant',
      )
    }
    if (scope === 'instance' && this.isMethod && cache.hasL2 && this.options.l2 !== false) {
      throw invalidOption(
        `the cached method '${this.label}' has scope 'instance', which means nothing outside this ` +
          "process: set l2: false, or take scope 'class' or a function",
      )
    }
    // The load runs in the async context of the wrapping, wherever the first use happens.
    const made = this.#runInWrapContext(() =>
      cache.openRegion(
        this.label,
        name as string | undefined,
        version as string | number | undefined,
        this.options,
      ),
    )
    this.#policy = made.policy
    this.region = made.region
    return made.region
  }

  /** @param llmKey of an LLM's call, where that is known */
  keyFor(
    self: unknown,
    args: readonly unknown[],
    llmKey: string | undefined = this.#llm?.keyOf(args).key,
  ): LocalKey {
    const { key, scope } = this.options
    let own: LocalKey
    if (llmKey !== undefined) own = llmKey
    else if (key !== undefined)
      own = this.#givenKey(key as (...args: readonly unknown[]) => unknown, args)
    else if (countOf(args) === 1) own = this.#keyOfOne(args[0])
    else own = keyOf(args)
    if (!this.isMethod || scope === 'class') return own
    const owner = typeof scope === 'function' ? scopeText(scope, self) : instanceId(self)
    return keyOf([owner, typeof own === 'number' ? keyOf([own]) : own])
  }

  /** Of all values that are kept for these arguments: an LLM may have given several answers. */
  keysFor(self: unknown, args: readonly unknown[]): LocalKey[] {
    if (this.#llm === undefined) return [this.keyFor(self, args)]
    return this.#llm.keysOf(args).map((key) => this.keyFor(self, args, key))
  }

  request(self: unknown, args: readonly unknown[]): Read {
    const region = this.use()
    const policy = this.#policy as Policy
    const origin = this.#origin as (...args: unknown[]) => unknown
    const call = this.#llm?.keyOf(args)
    const request: Read = {
      region,
      policy,
      key: this.keyFor(self, args, call?.key),
      args,
      origin: (given, context) =>
        context === undefined
          ? origin.apply(self, [...given])
          : origin.call(self, context, ...given),
    }
    if (this.#llm === undefined || call === undefined) return request
    return this.#llm.read(request, call, this.options.context === true)
  }

  dispose(): void {
    this.#disposed = true
    if (this.region)
      this.#cacheOf().closeRegion(this.region, this.options.name as string | undefined)
    this.region = undefined
  }

  /** Often a misspelt member: all calls would share one entry, and one user get another's value. */
  #givenKey(key: (...args: readonly unknown[]) => unknown, args: readonly unknown[]): string {
    const given = key(...args)
    if (given !== undefined) return keyOf([given])
    throw new ResilienceError(
      'ERR_UNCACHEABLE_KEY',
      `key of '${this.label}' returned undefined, which would be one key for all calls; ` +
        'return what tells them apart, or a constant if nothing does',
    )
  }

  #keyOfOne(argument: unknown): LocalKey {
    if (typeof argument === 'number') return argument
    if (typeof argument === 'object' && argument !== null) return this.memo.keyOfObject(argument)
    return keyOf([argument])
  }
}

/** Trailing `undefined` does not count: `f(5, undefined)` is `f(5)`, and has to find its entry. */
function countOf(args: readonly unknown[]): number {
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count--
  return count
}

let instances = 0
const instanceIds = new WeakMap<object, string>()

function instanceId(self: unknown): string {
  // Of a static method it is the class, which is a function.
  if ((typeof self !== 'object' && typeof self !== 'function') || self === null) {
    throw invalidOption(
      "a cached method with scope 'instance' was called without its instance: call it as " +
        'object.method(…), and its own methods as object.method.for(object).invalidate(…)',
    )
  }
  let id = instanceIds.get(self)
  if (id === undefined) {
    id = String(++instances)
    instanceIds.set(self, id)
  }
  return id
}

function scopeText(scope: unknown, self: unknown): string {
  const text = (scope as (self: unknown) => unknown)(self)
  if (typeof text !== 'string') throw invalidOption(`scope must return text, got ${kindOf(text)}`)
  return text
}
