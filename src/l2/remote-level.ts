import type { Clock } from '../contracts/clock.ts'
import type {
  BusMessage,
  Coherence,
  LeaseRequest,
  ReadReply,
  ReadRequest,
  StampMode,
  Store,
  StoreSession,
  StoreSource,
  StoreState,
  WriteReply,
  WriteRequest,
} from '../contracts/store.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { withDeadline } from './deadline.ts'
import { Gate, type GateState } from './gate.ts'
import { Journal } from './journal.ts'

const REPLAY_MS = 1000

export interface RemoteOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Name of the cache: owner of sequence and stamps. */
  readonly space: string
  /** The tag that every entry of the cache carries: what an overflowing journal stamps. */
  readonly rootTag: string
  readonly onState: (health: RemoteHealth) => void
  readonly onError: (kind: string, error: unknown) => void
  readonly onMessage: (message: BusMessage) => void
}

/** Where the store's sequence stands. */
export type Position = Pick<ReadReply, 'sequence' | 'epoch'>

export interface RemoteHealth {
  readonly state: 'connecting' | 'ready' | 'suspect' | 'down'
  readonly source: StoreSource
  readonly coherence: Coherence
  readonly scripts: boolean
  readonly breaker: { readonly read: GateState; readonly write: GateState }
  readonly lastError?: string
  /** When the state last changed, in milliseconds since 1970. */
  readonly since: number
}

/**
 * L2 as the read path sees it: nothing here rejects, nothing waits beyond the store's deadline, and
 * while the store is down an operation costs one comparison. What could not be told to the store
 * stays in the journal.
 */
export class RemoteLevel {
  readonly store: Store
  errors = 0
  readonly #options: RemoteOptions
  readonly #session: StoreSession
  readonly #reads: Gate
  readonly #writes: Gate
  readonly #journal = new Journal()
  /** What was last begun for each key, as long as it runs. */
  readonly #latest = new Map<string, Promise<boolean>>()
  readonly #waitingForReady = new Set<() => void>()
  #state: StoreState
  #since: number
  #lastError: unknown
  #clockOffset: number | undefined
  #epoch: number | undefined
  #replayTimer: unknown
  #replaying: Promise<void> | undefined
  #closed = false

  constructor(store: Store, options: RemoteOptions) {
    this.store = store
    this.#options = options
    this.#state = { state: 'connecting', source: store.source }
    this.#since = options.clock.wall()
    const gate = (): Gate =>
      new Gate({
        clock: options.clock,
        random: options.random,
        probe: () => this.#probe(),
        onChange: (state, error) => this.#gateChanged(state, error),
      })
    this.#reads = gate()
    this.#writes = gate()
    this.#session = store.open({
      clock: options.clock,
      random: options.random,
      space: options.space,
      onState: (state) => this.#storeChanged(state),
      onMessage: options.onMessage,
    })
  }

  /** Whether a read is worth sending. */
  get usable(): boolean {
    return this.#state.state !== 'down' && !this.#reads.open && !this.#closed
  }

  /** The store's time, which the instants of its entries refer to. */
  storeNow(): number {
    const { clock } = this.#options
    return this.#clockOffset === undefined ? clock.wall() : clock.now() + this.#clockOffset
  }

  /** A reply, or `undefined` when L2 did not give one within its deadline. */
  async read(request: ReadRequest): Promise<ReadReply | undefined> {
    if (!this.usable) return undefined
    const { lease } = request
    // Sent before what was done to the key: the reply may show what was there before.
    const doubted = new Set(request.keys.filter((key) => this.doubts(key, [])))
    const onLate = lease ? (reply: ReadReply) => this.#giveBack(request, lease, reply) : undefined
    const reply = await this.#attempt(
      this.#reads,
      'read',
      () => this.#session.read(request),
      onLate,
    )
    if (!reply) return undefined
    this.#noteReply(reply)
    if (doubted.size === 0) return reply
    const records = request.keys.map((key, i) => (doubted.has(key) ? undefined : reply.records[i]))
    return { ...reply, records }
  }

  /** Stores the result of a load if it still may be. */
  async commit(request: WriteRequest): Promise<WriteReply | undefined> {
    if (!this.#writable) return undefined
    return this.#attempt(this.#writes, 'write', () => this.#session.write(request))
  }

  /**
   * Stores what the user set. While it is not acknowledged, this process does not believe L2. What
   * `prepare` cannot make a write of is deleted instead, so that no older value is left.
   */
  set(
    key: string,
    prepare: (now: Position) => Promise<WriteRequest | undefined>,
  ): Promise<boolean> {
    return this.#intent([key], async (isLatest) => {
      const request = await prepare(await this.#session.read({ keys: [], tags: [] }))
      // What was done to the key since must not be overwritten by what was done before.
      if (!isLatest()) return this.#latest.get(key)
      return request ? this.#session.write(request) : this.#session.delete([key])
    })
  }

  delete(keys: readonly string[]): Promise<boolean> {
    return this.#intent(keys, () => this.#session.delete(keys))
  }

  async stamp(tags: readonly string[], mode: StampMode): Promise<boolean> {
    this.#journal.addTags(tags, mode)
    const done = await this.#tell(() => this.#session.stamp(tags, mode))
    if (done) this.#journal.tagsDone(tags)
    else this.#journal.tagsFailed(tags, mode)
    return done
  }

  renew(key: string, token: string, ms: number): Promise<boolean | undefined> {
    return this.#attempt(this.#writes, 'lease', () => this.#session.renew(key, token, ms))
  }

  release(key: string, token: string): Promise<unknown> {
    return this.#attempt(this.#writes, 'lease', () => this.#session.release(key, token))
  }

  /** What was done to this entry by an invalidation that L2 may not have heard of. */
  doubts(key: string, tags: readonly string[]): StampMode | undefined {
    return this.#journal.size > 0 ? this.#journal.doubts(key, tags) : undefined
  }

  health(): RemoteHealth {
    const { state, source } = this.#state
    const lastError = this.#lastError
    return {
      state: this.#reads.open ? 'down' : state,
      source,
      coherence: this.store.coherence,
      scripts: this.store.supports.atomic,
      breaker: { read: this.#reads.state, write: this.#writes.state },
      ...(lastError === undefined ? {} : { lastError: messageOf(lastError) }),
      since: this.#since,
    }
  }

  /** Resolves to whether L2 became usable within `ms`. */
  async ready(ms: number): Promise<boolean> {
    if (this.#isReady) return true
    const { clock } = this.#options
    return new Promise<boolean>((resolve) => {
      const finish = (ready: boolean): void => {
        clock.clearTimeout(timer)
        this.#waitingForReady.delete(onReady)
        resolve(ready)
      }
      const onReady = (): void => finish(true)
      const timer = clock.setTimeout(() => finish(false), ms)
      this.#waitingForReady.add(onReady)
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#reads.stop()
    this.#writes.stop()
    this.#options.clock.clearTimeout(this.#replayTimer)
    await this.#session.close()
  }

  get #writable(): boolean {
    return this.#state.state !== 'down' && !this.#writes.open && !this.#closed
  }

  get #isReady(): boolean {
    return this.#state.state === 'ready' && !this.#reads.open
  }

  async #intent(
    keys: readonly string[],
    operation: (isLatest: () => boolean) => Promise<unknown>,
  ): Promise<boolean> {
    const { promise: mine, resolve } = Promise.withResolvers<boolean>()
    for (const key of keys) {
      this.#journal.addKey(key)
      this.#latest.set(key, mine)
    }
    const done = await this.#tell(() =>
      operation(() => keys.every((key) => this.#latest.get(key) === mine)),
    )
    for (const key of keys) {
      if (done) this.#journal.keyDone(key)
      else this.#journal.keyFailed(key)
      if (this.#latest.get(key) === mine) this.#latest.delete(key)
    }
    resolve(done)
    return done
  }

  async #tell(operation: () => Promise<unknown>): Promise<boolean> {
    if (!this.#writable) {
      this.#scheduleReplay()
      return false
    }
    const reply = await this.#attempt(
      this.#writes,
      'write',
      async () => (await operation()) ?? true,
    )
    if (reply === undefined) this.#scheduleReplay()
    return reply !== undefined && reply !== false
  }

  async #attempt<T>(
    gate: Gate,
    kind: string,
    operation: () => Promise<T>,
    onLate?: (result: T) => void,
  ): Promise<T | undefined> {
    try {
      const result = await withDeadline(
        operation(),
        this.store.timeoutMs,
        this.#options.clock,
        onLate,
      )
      gate.succeeded()
      return result
    } catch (error) {
      if (this.#closed) return undefined
      this.errors++
      this.#lastError = error
      this.#options.onError(kind, error)
      gate.failed(error)
      return undefined
    }
  }

  #noteReply({ now, epoch }: ReadReply): void {
    this.#clockOffset = now - this.#options.clock.now()
    // Another sequence: the store lost its data, or is another one. What L1 holds has to be checked.
    if (this.#epoch !== undefined && this.#epoch !== epoch)
      this.#options.onMessage({ kind: 'lost' })
    this.#epoch = epoch
  }

  #giveBack(request: ReadRequest, lease: LeaseRequest, reply: ReadReply): void {
    reply.leases.forEach((granted, i) => {
      const key = request.keys[i]
      if (granted === 'granted' && key !== undefined) void this.release(key, lease.token)
    })
  }

  async #probe(): Promise<void> {
    await withDeadline(
      this.#session.probe(),
      Math.max(this.store.timeoutMs, 100),
      this.#options.clock,
    )
    await this.#replay()
    if (this.#journal.size > 0) throw new ResilienceError('ERR_L2_UNAVAILABLE', 'replay failed')
  }

  #gateChanged(state: GateState, error: unknown): void {
    if (error !== undefined) this.#lastError = error
    this.#changed(state === 'closed')
  }

  #storeChanged(state: StoreState): void {
    if (state.error) this.#lastError = state.error
    this.#state = state
    if (state.state === 'ready' && this.#journal.size > 0) this.#scheduleReplay()
    this.#changed(state.state === 'ready')
  }

  #changed(better: boolean): void {
    this.#since = this.#options.clock.wall()
    this.#options.onState(this.health())
    if (better && this.#isReady) for (const onReady of [...this.#waitingForReady]) onReady()
  }

  #scheduleReplay(): void {
    if (this.#replayTimer !== undefined || this.#closed) return
    const ms = REPLAY_MS * (0.5 + 0.5 * this.#options.random())
    this.#replayTimer = this.#options.clock.setTimeout(
      () => {
        this.#replayTimer = undefined
        void this.#replay().then(() => {
          if (this.#journal.size > 0) this.#scheduleReplay()
        })
      },
      ms,
      { unref: true },
    )
  }

  #replay(): Promise<void> {
    this.#replaying ??= this.#replayOnce().finally(() => {
      this.#replaying = undefined
    })
    return this.#replaying
  }

  /** Tells L2 what it has missed. Failures leave the intents where they are. */
  async #replayOnce(): Promise<void> {
    if (this.#state.state === 'down' || this.#closed) return
    const { overflowed } = this.#journal
    const { keys, hard, soft } = this.#journal.pending()
    const within = <T>(operation: Promise<T>): Promise<T> =>
      withDeadline(operation, Math.max(this.store.timeoutMs, 1000), this.#options.clock)
    try {
      if (overflowed) {
        await within(this.#session.stamp([this.#options.rootTag], 'hard'))
        this.#journal.overflowReplayed()
      }
      if (keys.length > 0) {
        await within(this.#session.delete(keys))
        this.#journal.replayed(keys)
      }
      for (const [tags, mode] of [
        [hard, 'hard'],
        [soft, 'soft'],
      ] as const) {
        if (tags.length === 0) continue
        await within(this.#session.stamp(tags, mode))
        this.#journal.tagsReplayed(tags)
      }
    } catch (error) {
      this.#lastError = error
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
