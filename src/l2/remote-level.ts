import type {
  Coherence,
  LoadEnd,
  Position,
  ReadReply,
  ReadRequest,
  StampMode,
  Store,
  StoreState,
  StoreSupport,
  WriteReply,
  WriteRequest,
} from '../contracts/store.ts'
import { asIfTold } from './as-if-told.ts'
import type { Gate, GateState } from './gate.ts'
import type { RemoteReply } from './merge-reads.ts'
import { ReadBatches } from './read-batches.ts'
import { RemoteWrites } from './remote-writes.ts'
import { StoreClock } from './store-clock.ts'
import { type RemoteOptions, StoreLink } from './store-link.ts'
import type { RemoteHealth } from './store-status.ts'
import { UnansweredLeases } from './unanswered-leases.ts'

/** Nobody waits for it: it may take longer than what a caller is made to wait. */
const RELEASE_TIMEOUT_MS = 1000

/**
 * L2 as the read path sees it: nothing here rejects, nothing waits beyond the store's deadline, and
 * while the store is down an operation costs one comparison. What could not be told to the store
 * stays in the journal.
 */
export class RemoteLevel {
  readonly #link: StoreLink
  readonly #time: StoreClock
  readonly #gate: Gate
  readonly #batches: ReadBatches
  readonly #writes: RemoteWrites
  readonly #unanswered: UnansweredLeases
  #epoch: number | undefined
  /** Something was read before the store was ready: it was loaded without a lease, and unfenced. */
  #wasEarly = false

  constructor(store: Store, options: RemoteOptions) {
    const link = new StoreLink(store, options)
    const onGate = (state: GateState): void => this.#gateChanged(state)
    this.#link = link
    this.#time = new StoreClock(options.clock)
    // Reads need not wait for the replay: what L2 has not heard of is not believed until it has.
    this.#gate = link.gate('read', () => link.probe(), onGate)
    this.#writes = new RemoteWrites(link, onGate, () => this.#position())
    this.#unanswered = unansweredLeases(link)
    this.#batches = new ReadBatches({
      clock: options.clock,
      deadlines: link.deadlines,
      isUsable: () => this.usable,
      send: (request, onLate) => this.#send(request, onLate),
      onUnused: (key, token) => void this.release(key, token, { kind: 'unused' }),
    })
    link.open((state) => this.#storeChanged(state))
  }

  /** Operations that failed, and values that L2 did not take. */
  get errors(): number {
    return this.#link.errors
  }

  /** What the store can do at present. */
  get supports(): StoreSupport {
    return this.#link.status.supports
  }

  /** How other processes are told at present. */
  get coherence(): Coherence {
    return this.#link.status.coherence
  }

  /** Whether a read is worth sending. */
  get usable(): boolean {
    const { status, closed } = this.#link
    return !this.#gate.open && status.state !== 'down' && !closed
  }

  /** Whether L2 takes results at present: otherwise a lease would only make others wait. */
  get writable(): boolean {
    return this.#writes.isPossible
  }

  /** How long somebody waits for L2, in milliseconds. */
  get timeoutMs(): number {
    return this.#link.store.timeoutMs
  }

  /** The store's time, which the instants of its entries refer to. */
  storeNow(now?: number): number {
    return this.#time.now(now)
  }

  /**
   * A reply, or `undefined` when L2 did not give one within its deadline. Reads of one turn are sent
   * as one. No lease while not writable.
   * @param until local time: for the second read of somebody who waits for L2 only once
   */
  read(request: ReadRequest, until?: number): Promise<RemoteReply | undefined> {
    if (this.#link.status.state !== 'ready') this.#wasEarly = true
    const isTooLate = until !== undefined && until <= this.#link.options.clock.now()
    if (!this.usable || isTooLate) return Promise.resolve(undefined)
    if (!request.lease || this.writable) return this.#batches.read(request, until)
    const { lease: _lease, ...plain } = request
    return this.#batches.read(plain, until)
  }

  /** Stores the result of a load if it still may be. */
  commit(request: WriteRequest): Promise<WriteReply | undefined> {
    return this.#writes.commit(request)
  }

  /**
   * Stores what the user set, and resolves to whether L2 has it. While it is not acknowledged, this
   * process does not believe L2. What `prepare` or the store cannot make a write of is deleted
   * instead, so that no older value is left.
   */
  set(
    key: string,
    prepare: (now: Position) => Promise<WriteRequest | undefined>,
  ): Promise<boolean> {
    return this.#writes.set(key, prepare)
  }

  /** Whether L2 has acknowledged it; otherwise it is told again until it does. */
  delete(keys: readonly string[]): Promise<boolean> {
    return this.#writes.delete(keys)
  }

  /** Whether L2 has acknowledged it; otherwise it is told again until it does. */
  stamp(tags: readonly string[], mode: StampMode): Promise<boolean> {
    return this.#writes.stamp(tags, mode)
  }

  /** `undefined` when L2 did not say whether the lease is still ours. */
  renew(key: string, token: string, ms: number): Promise<boolean | undefined> {
    return this.#writes.renew(key, token, ms)
  }

  /** What is not given back runs out. */
  release(key: string, token: string, end?: LoadEnd): Promise<void> {
    return this.#writes.release(key, token, end)
  }

  /** What was done to this entry by an invalidation that L2 may not have heard of. */
  doubts(key: string, tags: readonly string[]): StampMode | undefined {
    const { journal } = this.#writes
    return journal.isEmpty ? undefined : journal.doubts([key], tags)
  }

  health(): RemoteHealth {
    const { status, timeoutsIgnored } = this.#link
    const { state, source, coherence, supports, readOnly, lastError, since } = status
    return {
      state: this.#gate.open ? 'down' : state,
      source,
      coherence,
      scripts: supports.atomic,
      readOnly,
      breaker: { read: this.#gate.state, write: this.#writes.gate.state },
      timeoutsIgnored,
      ...(lastError === undefined ? {} : { lastError: messageOf(lastError) }),
      since,
    }
  }

  /** Resolves to whether L2 became usable within `ms`. */
  async ready(ms: number): Promise<boolean> {
    return this.#isReady || this.#link.status.ready(ms)
  }

  async close(): Promise<void> {
    if (this.#link.closed) return
    this.#link.closed = true
    this.#gate.stop()
    this.#writes.stop()
    this.#batches.drop()
    this.#unanswered.stop()
    await this.#link.session.close()
  }

  get #isReady(): boolean {
    return this.#link.status.state === 'ready' && !this.#gate.open
  }

  async #send(
    request: ReadRequest,
    onLate: (reply: ReadReply) => void,
  ): Promise<ReadReply | undefined> {
    const { attempts, session, options, status } = this.#link
    const { connections } = status
    const told = asIfTold(this.#writes.journal, request)
    const sentAt = options.clock.now()
    const operation = (): Promise<ReadReply> => session.read(request)
    const reply = await attempts.run({
      gate: this.#gate,
      kind: 'read',
      operation,
      onLate: (late) => {
        this.#unanswered.answered(request)
        onLate(late)
      },
    })
    if (!reply) {
      if (request.lease) this.#unanswered.note(request, request.lease)
      if (status.connections !== connections) this.#unanswered.giveBack()
      return undefined
    }
    this.#noteReply(reply, sentAt)
    return told(reply)
  }

  /** For a set, which is one operation with what comes after it. */
  async #position(): Promise<Position> {
    const sentAt = this.#link.options.clock.now()
    const reply = await this.#link.session.read({ keys: [], tags: [] })
    this.#noteReply(reply, sentAt)
    return reply
  }

  #noteReply({ now, epoch }: ReadReply, sentAt: number): void {
    this.#time.note(now, sentAt)
    const known = this.#epoch
    this.#epoch = epoch
    if (known === undefined || known === epoch) return
    // Another sequence: the store lost its data, or is another one. What L1 holds has to be checked.
    this.#link.options.onMessage({ kind: 'lost' })
    this.#writes.tellAll(true)
  }

  #gateChanged(state: GateState): void {
    if (!this.usable) this.#batches.drop()
    this.#changed(state === 'closed')
  }

  #storeChanged(state: StoreState): void {
    const { status } = this.#link
    const isReady = state.state === 'ready'
    status.told(state)
    if (!this.usable) this.#batches.drop()
    if (isReady && !state.sameConnection) {
      // Of what happened to these entries until now, nobody was told.
      if (this.#wasEarly && !status.wasReady) this.#link.options.onMessage({ kind: 'lost' })
      this.#wasEarly = false
      this.#writes.tellAll(status.wasReady)
      this.#unanswered.giveBack()
      this.#gate.probeNow()
      this.#writes.gate.probeNow()
    }
    this.#changed(isReady)
  }

  #changed(better: boolean): void {
    const { status, options } = this.#link
    status.since = options.clock.wall()
    options.onState(this.health())
    if (better && this.#isReady) status.announceReady()
  }
}

/** Nobody waits for it, and it says nothing of how L2 is: it is no attempt that counts. */
function unansweredLeases(link: StoreLink): UnansweredLeases {
  const { clock } = link.options
  return new UnansweredLeases({
    now: () => clock.now(),
    later: (task, ms) => {
      const timer = clock.setTimeout(task, ms, { unref: true })
      return () => clock.clearTimeout(timer)
    },
    release: async (key, token) =>
      link.within(RELEASE_TIMEOUT_MS, link.session.release(key, token, { kind: 'unused' })),
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
