import type { Clock } from '../contracts/clock.ts'
import type { ForeignLimiter, Runner } from '../contracts/runner.ts'
import { kindOf, toMs } from '../kernel/duration.ts'
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../kernel/options.ts'
import { realClock } from '../kernel/real-clock.ts'
import type { LoaderStore, OnMissing } from './loader-options.ts'
import type { Window } from './window.ts'

// The only place that knows the defaults of a loader.

const NAMES = [
  'name',
  'keyOf',
  'onMissing',
  'window',
  'maxBatch',
  'maxWeight',
  'concurrency',
  'batch',
  'cache',
  'key',
  'hits',
  'onBatchError',
  'guard',
  'nPlusOne',
  'clock',
]
const OF_CACHE = ['store', 'name', 'memo', 'ttl', 'grace', 'negativeTtl', 'tags', 'version']
/** Node fires longer timers at once. */
const LONGEST_WINDOW_MS = 2 ** 31 - 1

/** The options of a loader, checked and with their defaults. */
export interface LoaderSettings<K> {
  readonly name: string
  readonly clock: Clock
  readonly window: Window
  readonly maxBatch: number
  readonly weightOf: ((key: K) => number) | undefined
  readonly maxWeight: number
  readonly concurrency: number
  readonly perRequest: boolean
  readonly memo: boolean
  readonly stored:
    | { readonly store: LoaderStore; readonly options: Record<string, unknown> }
    | undefined
  readonly key: ((key: K) => unknown) | undefined
  readonly keyOf: ((row: never) => K) | undefined
  readonly onMissing: OnMissing<K>
  readonly hitsWait: boolean
  readonly onBatchError: 'fail' | 'split'
  readonly guard: Runner | ForeignLimiter | undefined
  readonly repeats: number
  readonly withinMs: number
}

type Given = Record<string, unknown>

/** @throws ERR_INVALID_OPTION for a wrong option, naming the nearest right one. */
export function settingsOf<K>(batch: unknown, given: unknown): LoaderSettings<K> {
  if (typeof batch !== 'function') {
    throw invalidOption(
      `loader(batchFn, options) takes a function of many keys, got ${kindOf(batch)}`,
    )
  }
  checkOptionNames(given, NAMES, 'loader()')
  for (const name of ['key', 'keyOf', 'guard']) checkFunction(given[name], name)
  for (const name of ['maxBatch', 'concurrency']) checkCount(given[name], name)
  checkChoice(given.batch, ['request', 'process'], 'batch')
  checkChoice(given.hits, ['immediate', 'batched'], 'hits')
  checkChoice(given.onBatchError, ['fail', 'split'], 'onBatchError')
  if (typeof given.onMissing !== 'function') {
    checkChoice(given.onMissing, ['null', 'error'], 'onMissing')
  }
  const name = nameOf(given.name, batch.name)
  const options = given as Partial<LoaderSettings<K>> & Given
  return {
    name,
    clock: (given.clock as Clock | undefined) ?? realClock,
    window: windowOf(given.window),
    maxBatch: options.maxBatch ?? Number.POSITIVE_INFINITY,
    ...weightOf<K>(given.maxWeight),
    concurrency: options.concurrency ?? Number.POSITIVE_INFINITY,
    perRequest: given.batch !== 'process',
    ...cacheOf(given, name),
    key: options.key,
    keyOf: options.keyOf,
    onMissing: options.onMissing ?? 'null',
    hitsWait: given.hits === 'batched',
    onBatchError: options.onBatchError ?? 'fail',
    guard: options.guard,
    ...nPlusOneOf(given.nPlusOne),
  }
}

function nameOf(given: unknown, standard: string): string {
  if (given === undefined) return standard || 'loader'
  if (typeof given === 'string' && given !== '' && given.length <= 100) return given
  throw invalidOption(`name must be text of 1 to 100 characters, got ${kindOf(given)}`)
}

function windowOf(given: unknown): Window {
  if (given === undefined || given === 'tick') return 'tick'
  const isObject = typeof given === 'object' && given !== null
  if (!isObject) return { durationMs: lengthOf(given, 'window'), idleMs: Number.POSITIVE_INFINITY }
  checkOptionNames(given, ['duration', 'idle'], 'window')
  return {
    durationMs: lengthOf(given.duration, 'window.duration'),
    idleMs: lengthOf(given.idle, 'window.idle'),
  }
}

function lengthOf(given: unknown, option: string): number {
  const ms = toMs(given, option)
  if (ms <= LONGEST_WINDOW_MS) return ms
  throw invalidOption(`${option} must be a time after which the batch goes, at most 24 days`)
}

function weightOf<K>(given: unknown): Pick<LoaderSettings<K>, 'weightOf' | 'maxWeight'> {
  if (given === undefined) return { weightOf: undefined, maxWeight: Number.POSITIVE_INFINITY }
  checkOptionNames(given, ['of', 'max'], 'maxWeight')
  const { of, max } = given
  if (typeof of !== 'function') {
    throw invalidOption(`maxWeight.of must be a function of the key, got ${kindOf(of)}`)
  }
  if (typeof max !== 'number' || !(max > 0)) {
    throw invalidOption(`maxWeight.max must be a number > 0, got ${kindOf(max)}`)
  }
  return { weightOf: of as (key: K) => number, maxWeight: max }
}

function cacheOf(given: Given, name: string): Pick<LoaderSettings<never>, 'memo' | 'stored'> {
  const { cache } = given
  if (cache === undefined || cache === 'request') return { memo: true, stored: undefined }
  if (cache === false) return { memo: false, stored: undefined }
  if (typeof cache !== 'object' || cache === null) {
    throw invalidOption(
      `cache must be 'request', false or { store, … } with a cache of createCache(), got ${kindOf(cache)}`,
    )
  }
  checkOptionNames(cache, OF_CACHE, 'cache of loader()')
  const { store, memo, ...rest } = cache
  checkBoolean(memo, 'cache.memo')
  if (typeof (store as Partial<LoaderStore> | undefined)?.cached !== 'function') {
    throw invalidOption(
      `cache.store must be a cache that createCache() makes, got ${kindOf(store)}`,
    )
  }
  const options = given.key === undefined ? rest : { ...rest, key: given.key }
  return {
    memo: memo !== false,
    // A name that is made up from the function's would silently change with it, and the keys in L2 too.
    stored: { store: store as LoaderStore, options: given.name ? { name, ...options } : options },
  }
}

function nPlusOneOf(given: unknown): Pick<LoaderSettings<never>, 'repeats' | 'withinMs'> {
  const options: unknown = given ?? {}
  checkOptionNames(options, ['repeats', 'within'], 'nPlusOne')
  checkCount(options.repeats, 'nPlusOne.repeats')
  return {
    repeats: (options.repeats as number | undefined) ?? 5,
    withinMs: options.within === undefined ? 1000 : toMs(options.within, 'nPlusOne.within'),
  }
}
