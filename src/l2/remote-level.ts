import type { Clock } from '../contracts/clock.ts'
import type {
  BusMessage,
  Coherence,
  LeaseRequest,
  Position,
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
import { asIfTold } from './as-if-told.ts'
import { withDeadline } from './deadline.ts'
import { Gate, type GateState } from './gate.ts'
import type { Intent } from './intent.ts'
import { Journal, type Replayed } from './journal.ts'
import { Replay } from './replay.ts'

// Beyond 300 lines: the one place that knows both gates, the journal and the session, each of which
// has a file of its own; what is left are short methods that put them together.

/** Nobody waits for a replay: it may take longer than what a caller is made to wait. */
const REPLAY_TIMEOUT_MS = 1000

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
  readonly #replay: Replay
  readonly #waitingForReady = new Set<() => void>()
  #state: StoreState
  #since: number
  #lastError: unknown
  #clockOffset: number | undefined
  #epoch: number | undefined
  #closed = false

  constructor(store: Store, options: RemoteOptions) {
    this.store = store
    this.#options = options
    this.#state = { state: 'connecting', source: store.source }
    this.#since = options.clock.wall()
    const { clock, random } = options
    this.#replay = new Replay({
      clock,
      random,
      journal: this.#journal,
      tell: (replayed) => this.#tellAgain(replayed),
      onError: (error) => {
        this.#lastError = error
      },
    })
    const gate = (probe: () => Promise<void>): Gate =>
      new Gate({
        clock,
        random,
        probe,
        onChange: (state, error) => this.#gateChanged(state, error),
      })
    // Reads need not wait for the replay: what L2 has not heard of is not believed until it has.
    this.#reads = gate(() => this.#probe())
    this.#writes = gate(() => this.#probeWrites())
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

  /** Whether L2 takes results at present: otherwise a lease would only make others wait. */
  get writable(): boolean {
    return this.#state.state !== 'down' && !this.#writes.open && !this.#closed
  }

  /** The store's time, which the instants of its entries refer to. */
  storeNow(): number {
    const { clock } = this.#options
    return this.#clockOffset === undefined ? clock.wall() : clock.now() + this.#clockOffset
  }

  /** A reply, or `undefined` when L2 did not give one within its deadline. No lease while not writable. */
  async read(request: ReadRequest): Promise<ReadReply | undefined> {
    if (!this.usable) return undefined
    const { lease: wanted, ...plain } = request
    const lease = this.writable ? wanted : undefined
    const told = asIfTold(this.#journal, request)
    const onLate = lease ? (reply: ReadReply) => this.#giveBack(request, lease, reply) : undefined
    const reply = await this.#attempt(
      this.#reads,
      'read',
      () => this.#session.read(lease ? request : plain),
      onLate,
    )
    if (!reply) return undefined
    this.#noteReply(reply)
    return told(reply)
  }

  /** Stores the result of a load if it still may be. */
  async commit(request: WriteRequest): Promise<WriteReply | undefined> {
    if (!this.writable) return undefined
    const write = (): Promise<WriteReply> => this.#session.write(request)
    const reply = await this.#attempt(this.#writes, 'write', write)
    if (isTooLarge(reply)) this.#reportTooLarge()
    return reply
  }

  /**
   * Stores what the user set, and resolves to whether L2 has it. While it is not acknowledged, this
   * process does not believe L2. What `prepare` or the store cannot make a write of is deleted
   * instead, so that no older value is left.
   */
  async set(
    key: string,
    prepare: (now: Position) => Promise<WriteRequest | undefined>,
  ): Promise<boolean> {
    const intent = this.#journal.begin('key', [key])
    let isStored = true
    const isAcknowledged = await this.#carryOut(intent, async () => {
      const reply = await this.#session.read({ keys: [], tags: [] })
      if (intent.isOver) return intent.superseded()
      this.#noteReply(reply)
      const request = await prepare(reply)
      if (intent.isOver) return intent.superseded()
      const written = request && (await this.#session.write(request))
      if (isTooLarge(written)) this.#reportTooLarge()
      if (written?.stored) return true
      if (intent.isOver) return intent.superseded()
      isStored = false
      await this.#session.delete([key])
      return true
    })
    return isAcknowledged && isStored
  }

  delete(keys: readonly string[]): Promise<boolean> {
    const intent = this.#journal.begin('key', keys)
    return this.#carryOut(intent, () => this.#session.delete(keys).then(() => true))
  }

  stamp(tags: readonly string[], mode: StampMode): Promise<boolean> {
    const intent = this.#journal.begin(mode, tags)
    return this.#carryOut(intent, () => this.#session.stamp(tags, mode).then(() => true))
  }

  /** `undefined` when L2 did not say whether the lease is still ours. */
  async renew(key: string, token: string, ms: number): Promise<boolean | undefined> {
    if (!this.writable) return undefined
    return this.#attempt(this.#writes, 'lease', () => this.#session.renew(key, token, ms))
  }

  /** What is not given back runs out. */
  async release(key: string, token: string): Promise<void> {
    if (!this.writable) return
    await this.#attempt(this.#writes, 'lease', () => this.#session.release(key, token))
  }

  /** What was done to this entry by an invalidation that L2 may not have heard of. */
  doubts(key: string, tags: readonly string[]): StampMode | undefined {
    return this.#journal.isEmpty ? undefined : this.#journal.doubts([key], tags)
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
    this.#replay.stop()
    await this.#session.close()
  }

  get #isReady(): boolean {
    return this.#state.state === 'ready' && !this.#reads.open
  }

  async #carryOut(intent: Intent, operation: () => Promise<boolean>): Promise<boolean> {
    const isAcknowledged =
      this.writable && (await this.#attempt(this.#writes, 'write', operation)) === true
    if (isAcknowledged) this.#journal.acknowledged(intent)
    else {
      this.#journal.failed(intent)
      this.#replay.schedule()
    }
    intent.end(isAcknowledged)
    return isAcknowledged
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
      // It need not have come from the store at all, and says nothing of how that is.
      if (!isTooLarge(result)) gate.succeeded()
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

  #reportTooLarge(): void {
    this.errors++
    const remedy = 'raise the size of the store, or keep such values out of it with `l2: false`'
    this.#options.onError(
      'too-large',
      new ResilienceError('ERR_UNSERIALIZABLE', `a value is too large for L2: ${remedy}`),
    )
  }

  async #probe(): Promise<void> {
    await this.#within(Math.max(this.store.timeoutMs, 100), this.#session.probe())
  }

  async #probeWrites(): Promise<void> {
    await this.#probe()
    if (await this.#replay.run()) return
    throw new ResilienceError('ERR_L2_UNAVAILABLE', 'L2 could not be told what it has missed')
  }

  async #tellAgain({ kind, names }: Replayed): Promise<void> {
    if (this.#state.state === 'down') {
      throw new ResilienceError('ERR_L2_UNAVAILABLE', 'L2 is down')
    }
    const told =
      kind === 'all'
        ? this.#session.stamp([this.#options.rootTag], 'hard')
        : kind === 'key'
          ? this.#session.delete(names)
          : this.#session.stamp(names, kind)
    await this.#within(Math.max(this.store.timeoutMs, REPLAY_TIMEOUT_MS), told)
  }

  #within<T>(ms: number, operation: Promise<T>): Promise<T> {
    return withDeadline(operation, ms, this.#options.clock)
  }

  #gateChanged(state: GateState, error: unknown): void {
    if (error !== undefined) this.#lastError = error
    this.#changed(state === 'closed')
  }

  #storeChanged(state: StoreState): void {
    if (state.error) this.#lastError = state.error
    this.#state = state
    if (state.state === 'ready' && this.#journal.hasFailed) this.#replay.schedule()
    this.#changed(state.state === 'ready')
  }

  #changed(better: boolean): void {
    this.#since = this.#options.clock.wall()
    this.#options.onState(this.health())
    if (better && this.#isReady) for (const onReady of [...this.#waitingForReady]) onReady()
  }
}

function isTooLarge(reply: unknown): boolean {
  return (
    (reply as Partial<Extract<WriteReply, { stored: false }>> | undefined)?.reason === 'too-large'
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
