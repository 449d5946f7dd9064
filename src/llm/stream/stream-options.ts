import type { Clock } from '../../contracts/clock.ts'
import type { Codec } from '../../contracts/codec.ts'
import type { LlmLayer } from '../../contracts/llm-layer.ts'
import type { Cache } from '../../facade/cache.ts'
import { type ByteSize, toBytes } from '../../kernel/byte-size.ts'
import { type Duration, kindOf, toMs } from '../../kernel/duration.ts'
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import type { CacheVerdict } from '../verdict/verdict.ts'
import type { Pace } from './replay.ts'
import type { StreamEnd } from './shared-streams.ts'
import type { OnAbandon } from './stream-session.ts'

/** How fast a stored stream is given out. */
export type Pacing =
  /** All at once. */
  | 'instant'
  /** With the pauses it had. */
  | 'original'
  /** So many times as fast, and no pause longer than `maxGap`. */
  | { readonly speed?: number; readonly maxGap?: Duration }

/** Options of `cachedStream`. */
export interface CachedStreamOptions<A extends readonly unknown[] = never[], T = unknown> {
  /** Where streams are kept. @default the process's default cache */
  cache?: Cache
  /** Part of the key in L2 and label in metrics. Required with an L2; unique in its cache. */
  name?: string
  /** Change it when the shape of the items changes: older recordings are then not found. */
  version?: string | number
  /** How long a recording is replayed. Required here or in the cache. */
  ttl?: Duration
  /**
   * `promptCache()`: the first argument is a request to an LLM. It makes the key, is sent so that the
   * provider's own cache helps most, and judges what the events add up to.
   */
  llm?: LlmLayer
  /** The key of a call, where its arguments are not what tells calls apart. Not with `llm`. */
  key?: (...args: A) => unknown
  tags?: (...args: A) => readonly string[]
  /**
   * Whether a stream that has ended well is stored; with `llm` both have to agree. Streams of a known
   * provider are stored only with their last event. @default true
   */
  accept?: (end: StreamEnd<T>) => CacheVerdict | boolean
  /** @default 'instant' */
  pacing?: Pacing
  /** Longer streams are not recorded: shared with those who have begun, not stored. @default '8mb' */
  maxBytes?: ByteSize
  /** The same in items. @default 100_000 */
  maxItems?: number
  /**
   * When all readers have left: `'abort'` gives the upstream up, `'finish'` reads it to its end and
   * stores it (it is paid for), `{ finishIf }` decides by how far it is.
   * @default 'abort'
   */
  onAbandon?: OnAbandon
  /** How items become bytes in L2. @default a codec that keeps Date, Map, Set, BigInt, Buffer … */
  codec?: Codec<T>
  /** `false` skips L1. */
  l1?: boolean
  /** `false` skips L2. */
  l2?: boolean
  /** `true` puts `{ signal }` before the arguments of the function: aborted when nobody reads any more. */
  context?: boolean
  clock?: Clock
}

const NAMES = [
  'cache',
  'name',
  'version',
  'ttl',
  'llm',
  'key',
  'tags',
  'accept',
  'pacing',
  'maxBytes',
  'maxItems',
  'onAbandon',
  'codec',
  'l1',
  'l2',
  'context',
  'clock',
]

const DEFAULT_MAX_BYTES = 8 * 1024 ** 2
const DEFAULT_MAX_ITEMS = 100_000

/** Checks what `cached()` does not know of; the rest is checked there. */
export function checkStreamOptions(options: unknown): asserts options is Record<string, unknown> {
  checkOptionNames(options, NAMES, 'cachedStream()')
  for (const name of ['accept', 'key', 'tags']) checkFunction(options[name], name)
  checkCount(options.maxItems, 'maxItems')
  checkBoolean(options.context, 'context')
  checkOnAbandon(options.onAbandon)
  const { cache, codec, llm, ttl, version } = options
  if (codec !== undefined && typeof (codec as Partial<Codec> | null)?.decode !== 'function') {
    throw invalidOption(`codec must be { id, encode, decode }, got ${kindOf(codec)}`)
  }
  if (version !== undefined && typeof version !== 'string' && !Number.isFinite(version)) {
    throw invalidOption(`version must be text or a number, got ${kindOf(version)}`)
  }
  if (ttl !== undefined) toMs(ttl, 'ttl')
  if (cache !== undefined && typeof (cache as Partial<Cache> | null)?.cached !== 'function') {
    throw invalidOption(`cache must be what createCache() gives, got ${kindOf(cache)}`)
  }
  if (llm !== undefined && options.key !== undefined) {
    throw invalidOption(
      'key and llm do not go together: the request and the other arguments make the key',
    )
  }
}

function checkOnAbandon(given: unknown): void {
  if (typeof given !== 'object' || given === null) {
    checkChoice(given ?? 'abort', ['abort', 'finish'], 'onAbandon')
    return
  }
  checkOptionNames(given, ['finishIf'], 'onAbandon')
  if (typeof given.finishIf !== 'function') {
    throw invalidOption(`onAbandon.finishIf must be a function, got ${kindOf(given.finishIf)}`)
  }
}

/** @throws ERR_INVALID_OPTION */
export function paceOf(pacing: unknown): Pace {
  if (typeof pacing !== 'object' || pacing === null) {
    checkChoice(pacing ?? 'instant', ['instant', 'original'], 'pacing')
    return { speed: pacing === 'original' ? 1 : Number.POSITIVE_INFINITY, maxGapMs: Infinity }
  }
  checkOptionNames(pacing, ['speed', 'maxGap'], 'pacing')
  checkNumber(pacing.speed, 'pacing.speed', 0.001, Number.POSITIVE_INFINITY)
  return {
    speed: (pacing.speed as number | undefined) ?? 1,
    maxGapMs: pacing.maxGap === undefined ? Infinity : toMs(pacing.maxGap, 'pacing.maxGap'),
  }
}

/** @throws ERR_INVALID_OPTION */
export function boundsOf(options: { readonly maxBytes?: unknown; readonly maxItems?: unknown }): {
  readonly maxBytes: number
  readonly maxItems: number
} {
  const { maxBytes, maxItems } = options
  checkCount(maxItems, 'maxItems')
  return {
    maxBytes: maxBytes === undefined ? DEFAULT_MAX_BYTES : toBytes(maxBytes, 'maxBytes'),
    maxItems: (maxItems as number | undefined) ?? DEFAULT_MAX_ITEMS,
  }
}
