import { defaultCodec } from '../codec/default-codec.ts'
import type { Codec } from '../contracts/codec.ts'
import type { LlmLayer } from '../contracts/llm-layer.ts'
import type { LoadGuard } from '../contracts/load-guard.ts'
import type { Coherence } from '../contracts/store.ts'
import { toBytes } from '../kernel/byte-size.ts'
import { kindOf, shown, toMs } from '../kernel/duration.ts'
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
  checkTags,
  invalidOption,
} from '../kernel/options.ts'
import type { Sharing } from '../l1/sharing.ts'
import type { Compression } from '../read-path/core.ts'
import type { Policy } from '../read-path/policy.ts'
import { checkLlm, tagsWithLlm } from './llm-function.ts'
import { checkLoadGuard, refuseInlineGuard } from './load-guard.ts'
import type { CacheOptions, FreshnessOptions } from './options.ts'

// The only place that knows defaults. Shapes are checked here, once; names at first use. It is long
// because every option is in it: what is checked and what it defaults to should be read together.

const FRESHNESS = [
  'ttl',
  'grace',
  'softTimeout',
  'hardTimeout',
  'completeInBackground',
  'graceBackoff',
  'jitter',
  'refreshAhead',
  'negativeTtl',
  'errorTtl',
  'strict',
] as const

const OF_CACHE = [
  ...FRESHNESS,
  'name',
  'l1',
  'l2',
  'compression',
  'maxLoads',
  'metrics',
  'clock',
  'random',
]

const OF_LOADING = [...FRESHNESS, 'cacheIf', 'l1', 'l2', 'guard', 'schema', 'codec', 'tags']

const OF_FUNCTION = [
  ...OF_LOADING,
  'name',
  'key',
  'version',
  'manyOrigin',
  'scope',
  'context',
  'llm',
]
const OF_GET_OR_SET = [...OF_LOADING, 'signal']
const OF_L1 = ['maxEntries', 'maxBytes', 'ttl', 'values']
const OF_COMPRESSION = ['algorithm', 'threshold']

const CLOCK = ['now', 'wall', 'coarse', 'wake', 'setTimeout', 'clearTimeout', 'immediate']
const STORE = ['open', 'source', 'coherence', 'supports', 'timeoutMs']

/** Options as they come from the user, not yet believed. */
export type Given = Record<string, unknown>

export function checkFunctionOptions(options: unknown): asserts options is Given {
  checkOptionNames(options, OF_FUNCTION, 'cached()')
  checkLoading(options)
  checkLoadGuard(options.guard)
  checkTtl(options.ttl, true)
  for (const name of ['key', 'tags', 'manyOrigin']) checkFunction(options[name], name)
  checkBoolean(options.context, 'context')
  checkLlm(options)
  const { name, version, scope } = options
  if (name !== undefined) checkName(name, 'name')
  const isText = typeof version === 'string' && version.isWellFormed()
  if (version !== undefined && !isText && !Number.isFinite(version)) {
    throw invalidOption(`version must be text or a number, got ${shownName(version)}`)
  }
  if (scope !== undefined && typeof scope !== 'string' && typeof scope !== 'function') {
    throw invalidOption(
      `scope must be 'instance', 'class' or a function such as (self) => self.tenant, got ${kindOf(scope)}`,
    )
  }
  if (typeof scope !== 'function') checkChoice(scope, ['instance', 'class'], 'scope')
}

export function checkGetOrSetOptions(options: unknown): asserts options is Given {
  checkOptionNames(options, OF_GET_OR_SET, 'getOrSet()')
  checkLoading(options)
  refuseInlineGuard(options.guard)
  checkFunction(options.guard, 'guard')
  checkTtl(options.ttl, true)
  checkTags(options.tags)
  checkSignal(options.signal)
}

export function checkSetOptions(options: unknown): asserts options is Given {
  checkOptionNames(options, ['ttl', 'tags'], 'set()')
  if (options.ttl !== undefined) toMs(options.ttl, 'ttl')
  checkTags(options.tags)
}

export function checkNamespaceOptions(options: unknown): asserts options is Given {
  checkOptionNames(options, FRESHNESS, 'namespace()')
  checkFreshness(options)
  checkTtl(options.ttl, false)
}

export function checkCacheOptions(options: unknown): asserts options is Given & CacheOptions {
  checkOptionNames(options, OF_CACHE, 'createCache()')
  checkFreshness(options)
  checkTtl(options.ttl, false)
  resolveL1(options.l1)
  resolveCompression(options.compression)
  if (options.name !== undefined) checkName(options.name, 'name')
  checkFunction(options.random, 'random')
  checkCount(options.maxLoads, 'maxLoads')
  checkShape(options.clock, CLOCK, 'clock', 'a clock such as new FakeClock()')
  checkShape(options.metrics, ['observeCache'], 'metrics', 'an observer such as prometheus()')
  if (options.l2 !== false) checkShape(options.l2, STORE, 'l2', 'a store such as sqlite({ path })')
}

/** A name becomes a part of keys and a label of metrics. */
export function checkName(name: unknown, option: string): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.length > 100 || !name.isWellFormed()) {
    throw invalidOption(`${option} must be text of 1 to 100 characters, got ${shownName(name)}`)
  }
}

function shownName(name: unknown): string {
  if (typeof name !== 'string') return shown(name)
  return name.isWellFormed() ? shown(name) : 'text with half a surrogate pair'
}

export function resolveL1(given: unknown): {
  useL1: boolean
  maxEntries: number
  maxBytes: number
  /** As it is wanted; absent: as long as the coherence of L2 allows. */
  ttlMs: number | undefined
  values: Sharing
} {
  const options: unknown = given === undefined ? {} : given
  if (options === false) {
    return { useL1: false, maxEntries: 1, maxBytes: 1, ttlMs: 0, values: 'share' }
  }
  checkOptionsOrFalse(options, OF_L1, 'l1')
  checkCount(options.maxEntries, 'l1.maxEntries')
  checkChoice(options.values, ['share', 'freeze', 'clone'], 'l1.values')
  return {
    useL1: true,
    maxEntries: (options.maxEntries as number | undefined) ?? 10_000,
    maxBytes:
      options.maxBytes === undefined ? 64 * 1024 ** 2 : toBytes(options.maxBytes, 'l1.maxBytes'),
    ttlMs: options.ttl === undefined ? undefined : toMs(options.ttl, 'l1.ttl'),
    values: (options.values as Sharing | undefined) ?? 'share',
  }
}

/**
 * The longer a copy goes unchecked, the longer another process's write stays unseen.
 * @param coherence of L2 at present, if there is one
 */
export function longestL1Ttl(coherence: Coherence | undefined): number {
  if (coherence === undefined) return Number.POSITIVE_INFINITY
  return coherence === 'bus' ? 60_000 : 5000
}

export function resolveCompression(given: unknown): Compression {
  if (given === undefined || given === false) return { algorithm: 'none', minBytes: Infinity }
  checkOptionsOrFalse(given, OF_COMPRESSION, 'compression')
  checkChoice(given.algorithm, ['gzip', 'brotli', 'zstd'], 'compression.algorithm')
  return {
    algorithm: (given.algorithm as Compression['algorithm'] | undefined) ?? 'zstd',
    minBytes:
      given.threshold === undefined ? 16 * 1024 : toBytes(given.threshold, 'compression.threshold'),
  }
}

/**
 * The policy of one function from what the user gave for it and, where that is silent, for the
 * cache. Both were checked before.
 * @param guard what the option `guard` has become
 * @throws ERR_INVALID_OPTION when neither names a ttl
 */
export function resolvePolicy(
  own: Given,
  defaults: FreshnessOptions,
  what: string,
  guard?: LoadGuard,
): Policy {
  const given: Given = { ...defaults, ...definedMembers(own) }
  const { ttl } = given
  if (ttl === undefined) {
    throw invalidOption(
      `ttl is missing for ${what}: give it there, or to createCache() for all that name no other`,
    )
  }
  const llm = given.llm as LlmLayer | undefined
  const tags = given.tags === undefined ? undefined : checkedTags(given.tags as TagsOf, what)
  const ms = (name: string, standard: number): number =>
    given[name] === undefined ? standard : toMs(given[name], name)
  return Object.freeze({
    ttl: typeof ttl === 'function' ? (ttl as Policy['ttl']) : toMs(ttl, 'ttl'),
    graceMs: ms('grace', 0),
    softTimeoutMs: ms('softTimeout', 0),
    // An answer of an LLM takes its time, and nobody pays for one that nobody has asked for.
    hardTimeoutMs: ms('hardTimeout', llm ? Number.POSITIVE_INFINITY : 30_000),
    completeInBackground: given.completeInBackground === true,
    graceBackoffMs: ms('graceBackoff', 5000),
    jitter: (given.jitter as number | undefined) ?? 0.1,
    refreshAhead:
      given.refreshAhead === false
        ? 0
        : ((given.refreshAhead as number | undefined) ?? (llm ? 0 : 0.9)),
    tags: llm ? tagsWithLlm(llm, tags) : tags,
    cacheIf: given.cacheIf as Policy['cacheIf'],
    negativeTtlMs: given.negativeTtl === undefined ? undefined : ms('negativeTtl', 0),
    errorTtlMs: ms('errorTtl', 0),
    useL1: given.l1 !== false,
    useL2: given.l2 !== false,
    guard,
    schema: given.schema as Policy['schema'],
    codec: (given.codec as Codec | undefined) ?? defaultCodec,
    manyOrigin: given.manyOrigin as Policy['manyOrigin'],
    strict: given.strict === true,
    context: given.context === true || llm !== undefined,
    mark: llm && ((value: unknown) => llm.mark(value)),
  })
}

function checkFreshness(options: Given): void {
  const durations = [
    'grace',
    'softTimeout',
    'hardTimeout',
    'graceBackoff',
    'negativeTtl',
    'errorTtl',
  ]
  for (const name of durations) if (options[name] !== undefined) toMs(options[name], name)
  checkBoolean(options.completeInBackground, 'completeInBackground')
  checkBoolean(options.strict, 'strict')
  checkNumber(options.jitter, 'jitter', 0, 1)
  const { refreshAhead } = options
  if (refreshAhead === undefined || refreshAhead === false) return
  if (typeof refreshAhead !== 'number' || !(refreshAhead >= 0.01 && refreshAhead <= 1)) {
    const got = shown(refreshAhead)
    throw invalidOption(`refreshAhead must be a number from 0.01 to 1, or false; got ${got}`)
  }
}

function checkOptionsOrFalse(
  options: unknown,
  allowed: readonly string[],
  option: string,
): asserts options is Given {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption(`${option} must be an options object or false, got ${kindOf(options)}`)
  }
  checkOptionNames(options, allowed, option)
}

/** A function of the value makes sense where the value is known. */
function checkTtl(ttl: unknown, mayBeFunction: boolean): void {
  if (ttl === undefined || (mayBeFunction && typeof ttl === 'function')) return
  toMs(ttl, 'ttl')
}

export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw invalidOption(`signal must be an AbortSignal, got ${kindOf(signal)}`)
}

type TagsOf = (...args: readonly unknown[]) => unknown

/** What the user's function returns is believed as little as his options. */
function checkedTags(tagsOf: TagsOf, what: string): Policy['tags'] {
  return (...args: readonly unknown[]): readonly string[] => {
    const tags = tagsOf(...args)
    checkTags(tags, `what the tags function of ${what} returns`)
    return (tags ?? []) as readonly string[]
  }
}

function checkLoading(options: Given): void {
  checkFreshness(options)
  checkFunction(options.cacheIf, 'cacheIf')
  for (const name of ['l1', 'l2']) checkBoolean(options[name], name)
  checkShape(options.schema, ['~standard'], 'schema', 'a Standard Schema such as z.object({ … })')
  checkShape(options.codec, ['id', 'encode', 'decode'], 'codec', '{ id, encode, decode }')
}

function checkShape(
  value: unknown,
  members: readonly string[],
  option: string,
  example: string,
): void {
  if (value === undefined) return
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  if (!isObject || members.some((member) => !(member in (value as object)))) {
    const got = isObject
      ? `${kindOf(value)} without ${members.find((m) => !(m in value))}`
      : kindOf(value)
    throw invalidOption(`${option} must be ${example}, got ${got}`)
  }
}

/** A member that is there but undefined says nothing: it must not hide what was said before. */
export function definedMembers<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
