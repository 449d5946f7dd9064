import type { LlmLoad } from '../../contracts/llm-layer.ts'
import type { CachedFunction } from '../../facade/cached-function.ts'
import { Deferred } from '../../kernel/deferred.ts'
import type { LlmCall, LlmCalls } from '../prompt-cache/llm-call.ts'
import type { CacheVerdict } from '../verdict/verdict.ts'
import { LiveSeat } from './live-seat.ts'
import type { LiveOptions, LiveStream } from './live-stream.ts'
import type { Recording } from './recording.ts'
import { type Pace, Replay } from './replay.ts'
import type { Entrance } from './stream-reader.ts'
import { type OnAbandon, type StreamCall, StreamSession } from './stream-session.ts'

/** The cached function that streams stand on: its one argument is the session that asks. */
export type StreamLoad<T> = CachedFunction<[StreamSession<T>], Recording<T>>

/** What may be done about a load: `LoadContext` and `LlmLoad` have it. */
type Load = Pick<LlmLoad, 'signal' | 'skip' | 'setTtl'>

/** How a stream has ended that has ended well. */
export interface StreamEnd<T> {
  readonly items: readonly T[]
  readonly last: T | undefined
  /** What the events of a known provider add up to, else the last item. */
  readonly final: unknown
}

export interface SharingOptions<T> extends LiveOptions {
  readonly layer: LlmCalls | undefined
  readonly pace: Pace
  readonly onAbandon: OnAbandon
  readonly accept: ((end: StreamEnd<T>) => CacheVerdict | boolean) | undefined
}

/** In place of what is too long to be kept. */
const NOTHING: Recording<never> = Object.freeze({ items: [], gaps: [] })

/**
 * The streams of one function. The cache below decides who calls the origin: by its single flight in the
 * process, by its leases between processes. Here is only what it cannot know: that those who wait for one
 * load can be given its items as they come.
 */
export class SharedStreams<T> {
  readonly #options: SharingOptions<T>
  readonly #load: () => StreamLoad<T>
  readonly #sessions = new Map<string, StreamSession<T>>()
  /** What `accept` threw: the cache reports it, as it does with `cacheIf`. */
  readonly #refused = new WeakMap<object, { readonly error: unknown }>()

  /** @param load the cached function; it calls back, so it is asked for late */
  constructor(options: SharingOptions<T>, load: () => StreamLoad<T>) {
    this.#options = options
    this.#load = load
  }

  /** @throws ERR_UNCACHEABLE_KEY for what the layer does not take for a request */
  session(call: StreamCall): StreamSession<T> {
    return new StreamSession(call, this.#options.layer?.keyOf(call.args))
  }

  /** @throws ERR_UNCACHEABLE_KEY, ERR_CLOSED, ERR_INVALID_OPTION as the first use of the load does */
  enter(call: StreamCall): Entrance<T> {
    const load = this.#load()
    const own = this.session(call)
    // Of those that are not cached each is a call of its own.
    const key = own.llmKey?.bypass === undefined ? load.key(own) : undefined
    const running = key === undefined ? undefined : this.#sessions.get(key)
    const coalesced = running && load.stats().coalesced
    const answer = this.#ask(own)
    // The cache knows whether a load under way may still be joined: it may have been invalidated since.
    if (running && load.stats().coalesced !== coalesced) {
      answer.catch(() => {})
      return this.#entrance(running, own)
    }
    own.follow(answer)
    if (key !== undefined) {
      this.#sessions.set(key, own)
      const forget = (): void => {
        if (this.#sessions.get(key) === own) this.#sessions.delete(key)
        own.close()
      }
      answer.then(forget, forget)
      own.controller.signal.addEventListener('abort', forget, { once: true })
    }
    return this.#entrance(own)
  }

  /** The origin of the load. */
  async record(session: StreamSession<T>, load: Load): Promise<Recording<T>> {
    const live = session.goLive(this.#options, session.call.args, load.signal)
    if (await live.recorded) return this.#judge(live, load)
    load.skip()
    return NOTHING
  }

  /** The same where a layer plans the call and judges the answer. */
  recordWithLayer(session: StreamSession<T>, load: LlmLoad): Promise<Recording<T>> {
    // The load of a stream that is too long ends there, so that others may begin; its tokens are
    // counted when it has ended itself.
    const tooLong = new Deferred<Recording<T>>()
    return Promise.race([this.#callLayer(session, load, tooLong), tooLong.promise])
  }

  /** For `cacheIf` of the load. */
  mayStore(recording: Recording<T>): boolean {
    const refusal = this.#refused.get(recording)
    if (refusal) throw refusal.error
    return true
  }

  async #callLayer(
    session: StreamSession<T>,
    load: LlmLoad,
    tooLong: Deferred<Recording<T>>,
  ): Promise<Recording<T>> {
    const call = (this.#options.layer as LlmCalls).begin(session.call.args, load)
    let live: LiveStream<T> | undefined
    try {
      const final = await call
        .run(async (args, onFirstByte) => {
          live = session.goLive(this.#options, args, load.signal)
          void live.firstItem.then(onFirstByte)
          live.recorded.then(
            (isWhole) => {
              if (isWhole) return
              load.skip()
              tooLong.resolve(NOTHING)
            },
            () => {},
          )
          await live.finished
          if (live.tail.refusal) throw live.tail.refusal
          return live.tail.final()
        })
        .catch(async (error: unknown) => {
          await countPart(call, live, load)
          throw error
        })
      const { verdict, expire, report } = await call.settle(final)
      load.report(report)
      if (expire.length > 0) load.expire(expire)
      apply(verdict, load)
    } catch (error) {
      // The readers have got it as an answer: for the load it is one that is not stored.
      if (error !== live?.tail.refusal) throw error
      load.skip()
    }
    return this.#judge(live as LiveStream<T>, load)
  }

  #judge(live: LiveStream<T>, load: Load): Recording<T> {
    const recording = live.record()
    const { accept } = this.#options
    if (!live.tail.complete || live.tail.refusal) load.skip()
    else if (accept) {
      const { items } = recording
      try {
        apply(accept({ items, last: items.at(-1), final: live.tail.final() }), load)
      } catch (error) {
        this.#refused.set(recording, { error })
      }
    }
    return recording
  }

  async #ask(session: StreamSession<T>): Promise<Recording<T>> {
    const load = this.#load().with({ signal: session.controller.signal })
    for (;;) {
      const recording = await load(session)
      // Else it has waited for a load of which nothing was kept, and has readers of its own.
      if (recording !== NOTHING || session.live || session.readers === 0) return recording
    }
  }

  /** @param caller the reader's own share in the load, where it has joined that of another */
  #entrance(session: StreamSession<T>, caller = session): Entrance<T> {
    const { clock, onAbandon, pace } = this.#options
    const joined = caller !== session
    let place: LiveSeat<T> | Replay<T> | undefined
    let gone = false
    session.readers++
    return {
      joined,
      closed: session.closed,
      async place() {
        await session.ready
        if (gone) return undefined
        const { live, recording } = session
        if (live) place = new LiveSeat(live, joined ? 'joined' : 'upstream')
        else place = new Replay(recording as Recording<T>, pace, clock)
        return place
      },
      leave() {
        if (gone) return
        gone = true
        place?.leave()
        if (joined) caller.controller.abort()
        session.leave(onAbandon)
      },
    }
  }
}

/** What a stream has said of its usage before it broke off, or was left, is billed all the same. */
async function countPart(
  call: LlmCall,
  live: LiveStream<unknown> | undefined,
  load: LlmLoad,
): Promise<void> {
  const final = live?.tail.final() as { usage?: unknown } | null | undefined
  if (!final?.usage || live?.tail.refusal) return
  const { expire, report } = await call.settle(final)
  load.report(report)
  if (expire.length > 0) load.expire(expire)
}

function apply(verdict: CacheVerdict | boolean, load: Load): void {
  if (verdict === false || (verdict !== true && verdict.action === 'skip')) load.skip()
  else if (verdict !== true && verdict.ttlMs !== undefined) load.setTtl(verdict.ttlMs)
}
