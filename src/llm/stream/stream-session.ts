import type { LlmCallKey } from '../../contracts/llm-layer.ts'
import { Deferred } from '../../kernel/deferred.ts'
import { everyReaderLeft, type LiveOptions, LiveStream } from './live-stream.ts'
import type { Recording } from './recording.ts'

/** What a stream is made from: the arguments of a call, and how its origin is called with them. */
export interface StreamCall {
  readonly args: readonly unknown[]
  /** @param args those of the call, or the same with the request as it had best be sent */
  open(args: readonly unknown[], signal: AbortSignal): unknown
}

/** What is done with a stream that all readers have left. */
export type OnAbandon =
  | 'abort'
  | 'finish'
  | { readonly finishIf: (progress: { items: number; bytes: number; ms: number }) => boolean }

/**
 * All readers of one key in this process, from the moment the first one asks for it: they wait for its
 * recording to be found, or for its origin to be called. It is the one argument of the cached function,
 * so that the load knows whom it is for.
 */
export class StreamSession<T> {
  readonly call: StreamCall
  /** With a layer. */
  readonly llmKey: LlmCallKey | undefined
  /** Ends its wait for the load. */
  readonly controller = new AbortController()
  live: LiveStream<T> | undefined
  recording: Recording<T> | undefined
  readers = 0
  readonly #ready = new Deferred<void>()
  readonly #closed = new Deferred<void>()

  constructor(call: StreamCall, llmKey: LlmCallKey | undefined) {
    this.call = call
    this.llmKey = llmKey
  }

  /** There is something to read; rejects where nothing came. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Its load is over: who asks from then on has a load of their own. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Nobody is led to it any more. */
  close(): void {
    this.#closed.resolve()
  }

  /**
   * The origin is called.
   * @param signal of the load: aborted when the cache gives it up
   */
  goLive(options: LiveOptions, args: readonly unknown[], signal: AbortSignal): LiveStream<T> {
    const live = new LiveStream<T>(options)
    this.live = live
    const onAbort = (): void => live.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const done = (): void => signal.removeEventListener('abort', onAbort)
    live.recorded.then(done, done)
    void live.open(() => this.call.open(args, live.signal))
    this.#ready.resolve()
    return live
  }

  /** How the load has ended, where the origin was not called for this session. */
  follow(load: Promise<Recording<T>>): void {
    load.then(
      (recording) => {
        if (!this.live) this.recording = recording
        this.#ready.resolve()
      },
      (error: unknown) => this.#ready.reject(error),
    )
  }

  /** A reader has gone; with the last one the stream may. */
  leave(onAbandon: OnAbandon): void {
    this.readers--
    const { live } = this
    if (this.readers > 0 || this.recording || live?.ended) return
    if (live && isWorthFinishing(live, onAbandon)) {
      live.drain()
      return
    }
    const reason = everyReaderLeft()
    this.controller.abort(reason)
    live?.abort(reason)
  }
}

function isWorthFinishing(live: LiveStream<unknown>, onAbandon: OnAbandon): boolean {
  if (!live.recording) return false
  if (live.tail.finished || onAbandon === 'finish') return true
  return onAbandon !== 'abort' && onAbandon.finishIf(live.progress)
}
