import { AsyncLocalStorage } from 'node:async_hooks'
import type { Codec } from '../../contracts/codec.ts'
import { isLlmLayer } from '../../contracts/llm-layer.ts'
import type { Fixed } from '../../facade/options.ts'
import type { CacheStats } from '../../facade/results.ts'
import { kindOf } from '../../kernel/duration.ts'
import { checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import type { Durability } from '../../read-path/invalidate.ts'
import type { LlmCalls } from '../prompt-cache/llm-call.ts'
import { followStream } from './follow-stream.ts'
import { RECORDING_FORMAT, recordingCodec } from './recording.ts'
import { SharedStreams, type SharingOptions, type StreamLoad } from './shared-streams.ts'
import { type LoadOptions, streamLoad } from './stream-load.ts'
import { boundsOf, type CachedStreamOptions, checkStreamOptions, paceOf } from './stream-options.ts'
import { type SharedStream, StreamReader } from './stream-reader.ts'
import type { StreamCall } from './stream-session.ts'

/** What a function wrapped by `cachedStream` may return. */
export type StreamResult<T> = AsyncIterable<T> | PromiseLike<AsyncIterable<T>>

/** Comes before the arguments with `context: true`. */
export interface StreamContext {
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal
}

/** A function whose streams are shared and remembered. */
export interface CachedStreamFunction<A extends readonly unknown[], T> {
  (...args: A): SharedStream<T>
  /** The same with settings for one call: the signal ends its reading, not that of others. */
  with(settings: { signal?: AbortSignal }): (...args: A) => SharedStream<T>
  /** The key of these arguments in L2. */
  key(...args: A): string
  /** Removes the recording of these arguments; a stream under way goes on, and is not stored. */
  invalidate(...args: A): Promise<Durability>
  /** Removes all recordings of this function. */
  clear(): Promise<Durability>
  stats(): CacheStats
  /** Frees the name and the memory; streams under way go on. */
  dispose(): void
}

/**
 * A function whose streams are recorded once, shared while they run, and replayed afterwards.
 *
 * ```ts
 * const ask = cachedStream((request) => client.messages.create({ ...request, stream: true }), {
 *   cache, name: 'ask', ttl: '1h', llm: promptCache({ provider: 'anthropic', tenant: 'acme' }),
 * })
 * for await (const event of ask(request)) render(event)
 * ```
 *
 * All who read one key at the same time share one call of `fn`: whoever comes late is given at once what
 * there is, then each item as it comes, at its own pace. Leaving (`break`, `return()`, the signal of
 * `with`) disturbs nobody else; the last one to leave decides by `onAbandon`. A stream is stored when it
 * has ended well and is accepted: never in part, never after an error. An error reaches everybody who has
 * received an item; who has joined and received none calls `fn` anew, once.
 *
 * Works with any async iterable and with the stream objects of the SDKs. Every reader gets copies of plain
 * objects and arrays, other items as they are. `source` of what it returns tells a replay from a call.
 *
 * @throws ERR_INVALID_OPTION for wrong options, naming the nearest right one
 */
export function cachedStream<A extends unknown[], T>(
  fn: (context: StreamContext, ...args: A) => StreamResult<T>,
  options: CachedStreamOptions<Fixed<A>, NoInfer<T>> & { context: true },
): CachedStreamFunction<A, T>
export function cachedStream<A extends unknown[], T>(
  fn: (...args: A) => StreamResult<T>,
  options: CachedStreamOptions<Fixed<A>, NoInfer<T>> & { context?: false },
): CachedStreamFunction<A, T>
export function cachedStream(
  fn: (...args: never[]) => unknown,
  options: unknown,
): CachedStreamFunction<unknown[], unknown> {
  if (typeof fn !== 'function') {
    throw invalidOption(`cachedStream(fn, options) takes a function, got ${kindOf(fn)}`)
  }
  checkStreamOptions(options)
  const given = options as CachedStreamOptions
  const streams: SharedStreams<unknown> = new SharedStreams(sharingOf(given), () => load)
  const load: StreamLoad<unknown> = streamLoad(streams, loadOf(given, fn.name))
  const open = callOf(fn, given.context === true)
  const call = (args: readonly unknown[]): StreamCall => ({ args, open })
  const session = (args: readonly unknown[]) => streams.session(call(args))
  const read = (args: readonly unknown[], signal?: AbortSignal): SharedStream<unknown> =>
    new StreamReader(() => streams.enter(call(args)), signal)

  const methods = {
    with(settings: { signal?: AbortSignal }) {
      checkOptionNames(settings, ['signal'], 'with()')
      const { signal } = settings
      if (signal !== undefined && !(signal instanceof AbortSignal)) {
        throw invalidOption(`signal must be an AbortSignal, got ${kindOf(signal)}`)
      }
      return (...args: unknown[]) => read(args, signal)
    },
    key: (...args: unknown[]) => load.key(session(args)),
    invalidate: async (...args: unknown[]) => load.invalidate(session(args)),
    clear: () => load.clear(),
    stats: () => load.stats(),
    dispose: () => load.dispose(),
  }
  return Object.assign((...args: unknown[]) => read(args), methods)
}

function sharingOf(options: CachedStreamOptions): SharingOptions<unknown> {
  const { accept, clock = realClock, llm, onAbandon = 'abort', pacing } = options
  return {
    ...boundsOf(options),
    clock,
    inContext: AsyncLocalStorage.snapshot() as SharingOptions<unknown>['inContext'],
    follow: followStream,
    layer: llm === undefined ? undefined : callsOf(llm),
    pace: paceOf(pacing),
    onAbandon,
    accept,
  }
}

function loadOf(options: CachedStreamOptions, fallbackName: string): LoadOptions {
  const { cache, codec, key, l1, l2, llm, name, tags, ttl, version } = options
  return {
    cache,
    label: name ?? (fallbackName || 'anonymous'),
    name,
    withLayer: llm !== undefined,
    key: key && ((args) => key(...(args as never[]))),
    tags: tags && ((args) => tags(...(args as never[]))),
    others: {
      ttl,
      l1,
      l2,
      version: version === undefined ? RECORDING_FORMAT : `${RECORDING_FORMAT}.${version}`,
      codec: codec && recordingCodec(codec as Codec),
    },
  }
}

/** @throws ERR_INVALID_OPTION for what is not what `promptCache()` gives */
function callsOf(llm: unknown): LlmCalls {
  if (isLlmLayer(llm) && 'begin' in llm) return llm as unknown as LlmCalls
  throw invalidOption(`llm must be promptCache({ provider, tenant }), got ${kindOf(llm)}`)
}

function callOf(fn: (...args: never[]) => unknown, withContext: boolean): StreamCall['open'] {
  const call = fn as (...args: unknown[]) => unknown
  return withContext ? (args, signal) => call({ signal }, ...args) : (args) => call(...args)
}
