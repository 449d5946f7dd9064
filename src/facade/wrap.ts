import { AsyncLocalStorage } from 'node:async_hooks'
import { type Duration, toMs } from '../kernel/duration.ts'
import { checkCount, checkOptionNames, invalidOption } from '../kernel/options.ts'
import { ENTRY_ERROR, type Entry } from '../l1/entry.ts'
import { copyOf } from '../l1/sharing.ts'
import type { ManyOrigin } from '../read-path/call-origin.ts'
import { judge } from '../read-path/freshness.ts'
import { clearScope, invalidateKeys, setValue } from '../read-path/invalidate.ts'
import type { Outcome } from '../read-path/outcome.ts'
import { type CallOptions, handOut, read, tagsOf } from '../read-path/read.ts'
import { readMany } from '../read-path/read-many.ts'
import type { Cache } from './cache.ts'
import type { CachedFunction, CallSettings } from './cached-function.ts'
import { explain } from './explain.ts'
import type { SetOptions } from './options.ts'
import { checkFunctionOptions, checkSetOptions, type Given } from './resolve-options.ts'
import { regionStats } from './stats.ts'
import { type AnyFunction, WrappedCore } from './wrapped-core.ts'

const TILDE = 126

/** Wraps a function. What is wrong with the shape of the options is thrown here. */
export function wrap(
  origin: AnyFunction,
  options: Given,
  cacheOf: () => Cache,
  isMethod = false,
): CachedFunction<never[], unknown> {
  if (typeof origin !== 'function') {
    throw invalidOption('cached() wraps a function: cached(fn, options)')
  }
  checkFunctionOptions(options)
  const inContext = AsyncLocalStorage.snapshot() as <R>(work: () => R) => R
  const core = new WrappedCore(origin, options, cacheOf, inContext, isMethod)
  const wrapped = hotFunction(core)
  Object.defineProperty(wrapped, 'name', { value: core.label, configurable: true })
  Object.defineProperty(wrapped, 'length', { value: origin.length, configurable: true })
  return Object.assign(wrapped, methodsOf(core, undefined)) as unknown as CachedFunction<never[], unknown>
}

/**
 * The fast path. Everything here is for one purpose: a hit costs one lookup, two or three
 * comparisons and no allocation. Not `async` (that would make a promise per call), no rest
 * parameters (an array per call), no key prefix, no clock: the entry's own promise is handed out.
 */
function hotFunction(core: WrappedCore) {
  const { plainKeys, memo } = core
  return function cachedFunction(
    this: unknown,
    a0?: unknown,
    a1?: unknown,
    a2?: unknown,
    a3?: unknown,
  ): Promise<unknown> {
    const { region } = core
    // biome-ignore lint/complexity/noArguments: its length costs nothing, rest parameters an array
    const count = arguments.length
    if (region !== undefined && plainKeys && count === 1) {
      let entry: Entry | undefined
      if (typeof a0 === 'string') {
        if (a0.charCodeAt(0) !== TILDE) entry = region.lru.get(a0)
      } else if (typeof a0 === 'number') {
        entry = region.lru.get(a0)
      } else if (typeof a0 === 'object' && a0 !== null) {
        try {
          entry = region.lru.get(memo.keyOfObject(a0))
        } catch (error) {
          return Promise.reject(error)
        }
      }
      if (
        entry !== undefined &&
        region.coarse.now < entry.hotUntil &&
        (entry.meta === undefined || entry.meta.checkedAt === region.stamps.sequence)
      ) {
        region.hits++
        const { promise } = entry
        return promise === undefined ? entry.settled() : promise
      }
    }
    // biome-ignore lint/complexity/noArguments: see above
    if (count > 4) return slow(core, this, [...(arguments as unknown as Iterable<unknown>)])
    return slow(core, this, argumentList(count, a0, a1, a2, a3))
  }
}

/** The same for `peek`, which gives the value itself. */
function hotPeek(core: WrappedCore, bound: object | undefined) {
  return function peek(a0?: unknown, a1?: unknown, a2?: unknown, a3?: unknown): unknown {
    // biome-ignore lint/complexity/noArguments: see above
    const count = arguments.length
    const { region } = core
    if (region !== undefined && core.plainKeys && count === 1 && isPlainText(a0)) {
      const entry = region.lru.get(a0)
      if (entry === undefined) return undefined
      if (
        region.coarse.now < entry.hotUntil &&
        (entry.meta === undefined || entry.meta.checkedAt === region.stamps.sequence)
      ) {
        region.hits++
        return entry.value
      }
    }
    // biome-ignore lint/complexity/noArguments: see above
    if (count > 4) return peeked(core, bound, [...(arguments as unknown as Iterable<unknown>)])?.value
    return peeked(core, bound, argumentList(count, a0, a1, a2, a3))?.value
  }
}

function argumentList(
  count: number,
  a0: unknown,
  a1: unknown,
  a2: unknown,
  a3: unknown,
): readonly unknown[] {
  switch (count) {
    case 0:
      return []
    case 1:
      return [a0]
    case 2:
      return [a0, a1]
    case 3:
      return [a0, a1, a2]
    default:
      return [a0, a1, a2, a3]
  }
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
    const { region } = request
    if (outcome instanceof Promise) return outcome.then((settled) => handOut(region, settled))
    return Promise.resolve(handOut(region, outcome))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The methods of a wrapped function, for one `self` where its entries depend on it. */
function methodsOf(core: WrappedCore, bound: object | undefined) {
  const outcomeOf = async (args: readonly unknown[], call?: CallOptions): Promise<Outcome> =>
    read(core.request(bound, args), call)
  const valueOf = (args: readonly unknown[], call?: CallOptions): Promise<unknown> =>
    slow(core, bound, args, call)

  return {
    peek: hotPeek(core, bound),
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
      return (...args: unknown[]) => valueOf(args, call)
    },
    async detail(...args: unknown[]) {
      const request = core.request(bound, args)
      const joined = request.region.flights.has(request.key)
      const outcome = await read(request)
      const { region } = request
      const ageMs = Math.max(0, region.core.clock.now() - outcome.createdAt)
      return {
        value: handOut(region, outcome),
        source: outcome.source,
        outcome: joined && outcome.kind === 'loaded' ? 'coalesced' : outcome.kind,
        ageMs,
        key: region.storeKey(request.key),
      }
    },
    many: (lists: readonly unknown[][], options?: { settle?: boolean }) =>
      many(core, bound, lists, options),
    refresh: (...args: unknown[]) => valueOf(args, { reload: true }),
    async set(args: readonly unknown[], value: unknown, options: SetOptions = {}) {
      checkSetOptions(options)
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
      return invalidateKeys(region, [core.keyFor(bound, args)], core.policy)
    },
    key: (...args: unknown[]) => core.use().storeKey(core.keyFor(bound, args)),
    explain: async (...args: unknown[]) => explain(core.request(bound, args)),
    async clear() {
      const region = core.use()
      return clearScope(region.core, [region], region.scopeTags.at(-1) as string, core.policy.strict)
    },
    warm: (lists: readonly unknown[][], options: { concurrency?: number } = {}) =>
      warm(core, valueOf, lists, options),
    stats: () => regionStats([core.use()]),
    dispose: () => core.dispose(),
    for(self: object) {
      const call = (...args: unknown[]): Promise<unknown> => slow(core, self, args)
      return Object.assign(call, methodsOf(core, self))
    },
  }
}

/** The entry that `peek` may show: fresh, not an error, in L1 now. */
function peeked(
  core: WrappedCore,
  self: unknown,
  args: readonly unknown[],
): { value: unknown; createdAt: number; freshUntil: number } | undefined {
  const { region } = core
  if (region === undefined) {
    core.use()
    return undefined
  }
  const entry = region.lru.get(core.keyFor(self, args))
  if (entry === undefined) return undefined
  const { clock, sharing, stamps } = region.core
  if (clock.coarse.now === Number.POSITIVE_INFINITY) clock.wake()
  if (judge(entry, core.policy, stamps, clock.now()) !== 'fresh') return undefined
  const flags = entry.meta === undefined ? 0 : entry.meta.flags
  if ((flags & ENTRY_ERROR) !== 0) return undefined
  region.hits++
  if (flags === 0 && sharing !== 'clone') return entry
  return { value: copyOf(entry.value), createdAt: entry.createdAt, freshUntil: entry.freshUntil }
}

function isPlainText(argument: unknown): argument is string {
  return typeof argument === 'string' && argument.charCodeAt(0) !== TILDE
}

async function many(
  core: WrappedCore,
  self: unknown,
  lists: readonly unknown[][],
  options: { settle?: boolean } = {},
): Promise<unknown[]> {
  checkOptionNames(options, ['settle'], 'many()')
  checkLists(lists, 'many()')
  const region = core.use()
  const { manyOrigin } = core.policy
  const single = manyOrigin as ((...args: unknown[]) => unknown) | undefined
  const origin: ManyOrigin | undefined =
    single &&
    ((argumentLists, context) =>
      context === undefined
        ? single.call(self, argumentLists)
        : single.call(self, context, argumentLists))
  const requests = lists.map((args) => core.request(self, args))
  const settled = await Promise.allSettled(readMany(region, requests, origin))
  if (options.settle) {
    return settled.map((result) =>
      result.status === 'fulfilled'
        ? { ok: true, value: handOut(region, result.value) }
        : { ok: false, error: result.reason },
    )
  }
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return handOut(region, result.value)
  })
}

async function warm(
  core: WrappedCore,
  load: (args: readonly unknown[]) => Promise<unknown>,
  lists: readonly unknown[][],
  options: { concurrency?: number },
): Promise<{ loaded: number; failed: number }> {
  checkOptionNames(options, ['concurrency'], 'warm()')
  checkCount(options.concurrency, 'warm() concurrency')
  checkLists(lists, 'warm()')
  const region = core.use()
  const result = { loaded: 0, failed: 0 }
  const rest = lists[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const args of rest) {
      if (region.core.closed) return
      try {
        await load(args)
        result.loaded++
      } catch {
        result.failed++
      }
    }
  }
  const workers = Array.from({ length: Math.min(options.concurrency ?? 5, lists.length) }, worker)
  const work = Promise.all(workers).then(() => result)
  region.core.background.track(work)
  return work
}

function checkLists(lists: unknown, where: string): void {
  if (Array.isArray(lists) && lists.every((list) => Array.isArray(list))) return
  throw invalidOption(`${where} takes a list of argument lists, e.g. [[1], [2]]`)
}

function callOptions(settings: CallSettings): CallOptions {
  checkOptionNames(settings, ['signal', 'reload', 'maxAge'], 'with()')
  const { signal, reload, maxAge } = settings
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidOption('signal must be an AbortSignal')
  }
  return {
    signal,
    reload: reload as boolean | undefined,
    maxAgeMs: maxAge === undefined ? undefined : toMs(maxAge as Duration, 'maxAge'),
  }
}

