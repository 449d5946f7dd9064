import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { plainCopy } from './plain-copy.ts'

/** What an origin may return: an async iterable, or what the SDKs call a stream, which is one. */
export interface StreamLike<T> extends AsyncIterable<T> {
  abort?: unknown
  controller?: unknown
  on?: unknown
}

/** A stream of an origin that is being read. */
export interface Upstream<T> {
  next(): Promise<IteratorResult<T, unknown>>
  /** Gives it up; does not wait for it, as it may hang. */
  stop(): void
}

/** @throws ERR_INVALID_OPTION for what cannot be iterated */
export function readUpstream<T>(stream: unknown): Upstream<T> {
  const intact = intactFirstEvents(stream)
  const iterator = iteratorOf<T>(stream)
  return {
    async next() {
      const result = await iterator.next()
      return result.done ? result : { done: false, value: intact(result.value) }
    },
    stop() {
      const { abort, controller } = stream as StreamLike<T>
      if (typeof abort === 'function') quietly(() => abort.call(stream))
      else if (typeof (controller as AbortController | undefined)?.abort === 'function') {
        quietly(() => (controller as AbortController).abort())
      }
      quietly(() => iterator.return?.())
    },
  }
}

type AnyIterator<T> = Pick<AsyncIterator<T, unknown> | Iterator<T, unknown>, 'next' | 'return'>

function iteratorOf<T>(stream: unknown): AnyIterator<T> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: atOnce } = (stream ??
    {}) as AsyncIterable<T> & Iterable<T>
  if (typeof later === 'function') return later.call(stream) as AnyIterator<T>
  if (typeof atOnce === 'function' && typeof stream !== 'string') {
    return atOnce.call(stream) as AnyIterator<T>
  }
  throw invalidOption(
    `the function of cachedStream() must return an async iterable or a promise of one, got ${kindOf(stream)}; ` +
      'for whole answers take cached(fn, { llm })',
  )
}

/**
 * The MessageStream of `@anthropic-ai/sdk` goes on building the message in the object of its first
 * event, so that it may be full before it is read: it is copied while it still is what was sent.
 */
function intactFirstEvents(stream: unknown): <T>(event: T) => T {
  const { abort, on } = (stream ?? {}) as StreamLike<unknown>
  if (typeof on !== 'function' || typeof abort !== 'function') return (event) => event
  const copies = new WeakMap<object, unknown>()
  quietly(() =>
    on.call(stream, 'streamEvent', (event: { type?: unknown }) => {
      if (event.type === 'message_start') copies.set(event, plainCopy(event))
    }),
  )
  return <T>(event: T) => (copies.get(event as object) as T | undefined) ?? event
}

/** What is given up has nobody left to hear of its failures. */
function quietly(work: () => unknown): void {
  try {
    const result = work()
    if (result instanceof Promise) result.catch(() => {})
  } catch {}
}
