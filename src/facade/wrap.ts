import { AsyncLocalStorage } from 'node:async_hooks'
import { type Duration, toMs } from '../kernel/duration.ts'
import { checkBoolean, checkOptionNames, invalidOption } from '../kernel/options.ts'
import { clearScope, invalidateKeys, setValue } from '../read-path/invalidate.ts'
import { read } from '../read-path/read.ts'
import type { CallOptions } from '../read-path/read-request.ts'
import { tagsOf } from '../read-path/tags-of.ts'
import type { CachedFunction, CallSettings } from './cached-function.ts'
import { callMany, warm } from './call-many.ts'
import { explain } from './explain.ts'
import { hotFunction, hotPeek } from './hot-path.ts'
import { handOutPaid } from './llm-function.ts'
import type { SetOptions } from './options.ts'
import { peeked } from './peek.ts'
import type { RegionOpener } from './region-opener.ts'
import {
  checkFunctionOptions,
  checkSetOptions,
  checkSignal,
  type Given,
} from './resolve-options.ts'
import { regionStats } from './stats.ts'
import { type AnyFunction, WrappedCore } from './wrapped-core.ts'

/** Wraps a function. What is wrong with the shape of the options is thrown here. */
export function wrap(
  origin: AnyFunction,
  options: Given,
  cacheOf: () => RegionOpener,
  isMethod = false,
): CachedFunction<never[], unknown> {
  if (Object.getOwnPropertyDescriptor(origin, 'prototype')?.writable === false) {
    throw invalidOption(
      `cached wraps functions and methods, not classes; '${origin.name}' is one: ` +
        'decorate its methods, or wrap a function that makes an instance',
    )
  }
  checkFunctionOptions(options)
  if (!isMethod && options.scope !== undefined) {
    throw invalidOption(
      `scope is for decorated methods, and '${origin.name || 'anonymous'}' is a plain function: ` +
        'leave it out, and say with key what tells its calls apart',
    )
  }
  const inContext = AsyncLocalStorage.snapshot() as <R>(work: () => R) => R
  const core = new WrappedCore(origin, { ...options }, cacheOf, inContext, isMethod)
  const wrapped = hotFunction(core, (self, args) => slow(core, self, args))
  Object.defineProperty(wrapped, 'name', { value: core.label, configurable: true })
  Object.defineProperty(wrapped, 'length', { value: origin.length, configurable: true })
  return Object.assign(wrapped, methodsOf(core, undefined)) as unknown as CachedFunction<
    never[],
    unknown
  >
}

function slow(
  core: WrappedCore,
  self: unknown,
  args: readonly unknown[],
  call?: CallOptions,
): Promise<unknown> {
  try {
    const request = core.request(self, args)
    const outcome = read(request, call)
    if (outcome instanceof Promise) return outcome.then((settled) => handOutPaid(request, settled))
    return Promise.resolve(handOutPaid(request, outcome))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The methods of a wrapped function, for one `self` where its entries depend on it. */
function methodsOf(core: WrappedCore, bound: object | undefined) {
  const valueFor = (args: readonly unknown[], call?: CallOptions): Promise<unknown> =>
    slow(core, bound, args, call)

  return {
    peek: hotPeek(core, bound, (self, args) => peeked(core, self, args)?.value),
    peekEntry(...args: unknown[]) {
      const entry = peeked(core, bound, args)
      if (!entry) return undefined
      const now = core.use().core.clock.now()
      return {
        value: entry.value,
        ageMs: now - entry.createdAt,
        freshForMs: entry.freshUntil - now,
      }
    },
    with(settings: CallSettings) {
      const call = callOptions(settings)
      return (...args: unknown[]) => valueFor(args, call)
    },
    async detail(...args: unknown[]) {
      const request = core.request(bound, args)
      const joined = request.region.flights.get(request.key)?.outdated === false
      const outcome = await read(request)
      const { region } = request
      const ageMs = Math.max(0, region.core.clock.now() - outcome.createdAt)
      return {
        value: handOutPaid(request, outcome),
        source: outcome.source,
        outcome: joined && outcome.kind === 'loaded' ? 'coalesced' : outcome.kind,
        ageMs,
        key: region.storeKey(request.key),
      }
    },
    many: (lists: readonly unknown[][], options?: { settle?: boolean }) =>
      callMany(core, bound, lists, options),
    refresh: (...args: unknown[]) => valueFor(args, { reload: true }),
    async set(args: readonly unknown[], value: unknown, options: SetOptions = {}) {
      checkSetOptions(options)
      if (!Array.isArray(args)) {
        throw invalidOption(`set() takes the arguments as an array: set([id], value)`)
      }
      const region = core.use()
      const { policy } = core
      const declared = tagsOf(region, policy, args).filter((tag) => !region.scopeTags.includes(tag))
      const own = ((options.tags as string[] | undefined) ?? []).map((tag) => region.tag(tag))
      const ttlMs = options.ttl === undefined ? undefined : toMs(options.ttl, 'ttl')
      const tags = [...new Set([...declared, ...own])]
      return setValue(region, core.keyFor(bound, args), value, policy, { tags, ttlMs })
    },
    async invalidate(...args: unknown[]) {
      const region = core.use()
      return invalidateKeys(region, core.keysFor(bound, args), core.policy)
    },
    key: (...args: unknown[]) => core.use().storeKey(core.keyFor(bound, args)),
    explain: async (...args: unknown[]) => explain(core.request(bound, args)),
    async clear() {
      const region = core.use()
      const { strict, useL2 } = core.policy
      const scopeTag = region.scopeTags.at(-1) as string
      return clearScope(region.core, [region], { scopeTag, strict, useL2 })
    },
    warm: (lists: readonly unknown[][], options: { concurrency?: number } = {}) =>
      warm(core, valueFor, lists, options),
    stats: () => regionStats([core.use()]),
    dispose: () => core.dispose(),
    for(self: object) {
      const call = (...args: unknown[]): Promise<unknown> => slow(core, self, args)
      return Object.assign(call, methodsOf(core, self))
    },
  }
}

function callOptions(settings: CallSettings): CallOptions {
  checkOptionNames(settings, ['signal', 'reload', 'maxAge'], 'with()')
  const { signal, reload, maxAge } = settings
  checkSignal(signal)
  checkBoolean(reload, 'reload')
  return {
    signal: signal as AbortSignal | undefined,
    reload: reload as boolean | undefined,
    maxAgeMs: maxAge === undefined ? undefined : toMs(maxAge as Duration, 'maxAge'),
  }
}
