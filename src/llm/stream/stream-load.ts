import { LLM_LAYER, type LlmLayer } from '../../contracts/llm-layer.ts'
import type { Cache } from '../../facade/cache.ts'
import { cached } from '../../facade/default-cache.ts'
import type { LoadContext } from '../../read-path/policy.ts'
import type { Recording } from './recording.ts'
import type { SharedStreams, StreamLoad } from './shared-streams.ts'
import type { StreamSession } from './stream-session.ts'

/** Options of the load that are the user's. */
export interface LoadOptions {
  readonly cache: Cache | undefined
  readonly label: string
  readonly name: string | undefined
  readonly withLayer: boolean
  readonly key: ((args: readonly unknown[]) => unknown) | undefined
  readonly tags: ((args: readonly unknown[]) => readonly string[]) | undefined
  /** Checked by `cached()`: `ttl`, `version`, `codec`, `l1`, `l2`. */
  readonly others: Readonly<Record<string, unknown>>
}

/** What a cache may decide for functions, and what would be wrong for streams. */
const FIXED = {
  // A stale answer while a refresh runs that nobody has asked for, and that costs money.
  grace: 0,
  refreshAhead: false,
  hardTimeout: Number.POSITIVE_INFINITY,
  completeInBackground: false,
  errorTtl: 0,
} as const

/** The cached function that loads recordings. */
export function streamLoad<T>(streams: SharedStreams<T>, options: LoadOptions): StreamLoad<T> {
  const { cache, key, label, name, tags, withLayer, others } = options
  const origin = (
    context: LoadContext<Recording<T>>,
    session: StreamSession<T>,
  ): Promise<Recording<T>> => streams.record(session, context)
  Object.defineProperty(origin, 'name', { value: label, configurable: true })
  const wrap = (cache ? cache.cached.bind(cache) : cached) as (
    origin: unknown,
    options: unknown,
  ) => StreamLoad<T>
  return wrap(origin, {
    ...others,
    ...FIXED,
    ...(name === undefined ? {} : { name }),
    context: true,
    cacheIf: (recording: Recording<T>) => streams.mayStore(recording),
    ...(tags && { tags: ({ call }: StreamSession<T>) => tags(call.args) }),
    ...(withLayer
      ? { llm: layerOf(streams) }
      : { key: ({ call }: StreamSession<T>) => (key ?? withoutTrailing)(call.args) }),
  })
}

/** Lets the cache count the tokens of streams, and keep from its levels what is not to be cached. */
function layerOf<T>(streams: SharedStreams<T>): LlmLayer {
  return {
    [LLM_LAYER]: true,
    keyOf: ([session]) => (session as StreamSession<T>).llmKey as never,
    call: ([session], _send, load) => streams.recordWithLayer(session as StreamSession<T>, load),
    // Streams say themselves that they are replayed.
    mark: (recording) => recording,
  }
}

/** `f(5, undefined)` is `f(5)`. */
function withoutTrailing(args: readonly unknown[]): readonly unknown[] {
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count--
  return args.slice(0, count)
}
