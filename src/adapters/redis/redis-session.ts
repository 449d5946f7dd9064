import type { Timer } from '../../contracts/clock.ts'
import type {
  BusMessage,
  LoadEnd,
  Position,
  ReadReply,
  ReadRequest,
  StampMode,
  StoreContext,
  StoreSession,
  StoreState,
  WriteReply,
  WriteRequest,
} from '../../contracts/store.ts'
import { Announcer } from './announcer.ts'
import { BusWatch } from './bus-watch.ts'
import { CommandQueue } from './command-queue.ts'
import { Heartbeat } from './heartbeat.ts'
import { KeySpace } from './key-space.ts'
import { Parts } from './parts.ts'
import { PlainWriter } from './plain-writer.ts'
import { type Powers, Reader } from './reader.ts'
import { ScriptWriter } from './script-writer.ts'
import {
  cannotListen,
  notServing,
  sessionClosed,
  takesNoWrites,
  withoutScripts,
} from './session-errors.ts'
import type { SessionSettings } from './session-settings.ts'
import type { OpenTransport, Transport, TransportState } from './transport.ts'
import { findPositions, type Warm, warmUp } from './warm-up.ts'
import type { Writer } from './writer.ts'

// Beyond 300 lines: the one place where the states of the connection, the operations and the bus
// meet; each of them has files of its own.

/**
 * A set that was sent to a frozen server may be carried out when it thaws, after everything that was
 * done since over another connection. So it is only taken for so long.
 */
const LATE_MS = 1000
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000
const NO_POWERS: Powers = { scripts: true, readOnly: true }
const UNUSED: LoadEnd = { kind: 'unused' }

/**
 * One cache's view of what it keeps in Redis. It never waits for a connection: while there is none
 * that serves, every operation rejects at once with `ERR_L2_UNAVAILABLE`; while a new one is being
 * made ready, which takes one round trip, operations wait for that.
 */
export class RedisSession implements StoreSession {
  readonly #context: StoreContext
  readonly #settings: SessionSettings
  readonly #transport: Transport
  readonly #parts: Parts
  readonly #announcer: Announcer
  readonly #reader: Reader
  readonly #scripted: Writer
  readonly #plain: Writer
  readonly #watch: BusWatch
  readonly #heartbeat: Heartbeat
  #serves: 'no' | 'soon' | 'yes' = 'no'
  #powers: Powers = NO_POWERS
  #warm: Promise<void> = Promise.resolve()
  #state: TransportState = { state: 'connecting', source: 'none' }
  /** Of the present connection; what belongs to an earlier one is dropped. */
  #connection = 0
  #retry: Timer | undefined
  #retries = 0
  /** A connection of another past was told of, whose epochs are not made yet. */
  #mustReset = false
  #wasReady = false
  #subscriptions = 0
  /** Why messages cannot be heard, for as long as that is so. */
  #deaf: Error | undefined
  /** Why the present connection could not be made ready. */
  #failure: Error | undefined
  #channels = ''
  /** Server time minus the clock's. */
  #offset: number | undefined
  #closed = false

  constructor(context: StoreContext, openTransport: OpenTransport, settings: SessionSettings) {
    this.#context = context
    this.#settings = settings
    const { clock, random, space } = context
    const { timeoutMs } = settings
    // A transport may tell of its state before it is there to be used.
    const early: (() => void)[] = []
    let isOpen = false
    const later = (task: () => void): void => void (isOpen ? task() : early.push(task))
    this.#transport = openTransport(
      { clock, random, timeoutMs },
      {
        onState: (state) => later(() => this.#changed(state)),
        onMessage: (_channel, payload) => later(() => this.#receive(payload)),
        onSubscribed: () => later(() => this.#subscribed()),
        onDenied: (error) => later(() => this.#denied(error)),
      },
    )
    const keySpace = new KeySpace(settings.prefix, space, this.#transport.isClustered)
    const queue = new CommandQueue(this.#transport, clock, timeoutMs)
    this.#parts = new Parts(keySpace, this.#transport, queue, random)
    this.#announcer = new Announcer(keySpace, senderId(random))
    this.#reader = new Reader(this.#parts, (part, position) => this.#watch.seen(part, position))
    this.#scripted = new ScriptWriter(this.#parts, this.#announcer)
    this.#plain = new PlainWriter(this.#parts)
    const lost = (): void => this.#deliver({ kind: 'lost' })
    this.#watch = new BusWatch(this.#announcer.sender, keySpace.partitions, {
      deliver: (message) => this.#deliver(message),
      lost,
    })
    this.#heartbeat = new Heartbeat({
      clock,
      random,
      watch: this.#watch,
      positions: () => findPositions(this.#parts),
      lost,
    })
    isOpen = true
    for (const task of early) task()
  }

  async read(request: ReadRequest): Promise<ReadReply> {
    if (this.#serves !== 'yes') await this.#untilServing()
    const reply = await this.#reader.read(request, this.#powers)
    this.#noteTime(reply.now)
    return reply
  }

  async write(request: WriteRequest): Promise<WriteReply> {
    if (this.#closed) throw sessionClosed()
    if (request.bytes.length > this.#settings.maxValueBytes) {
      return { stored: false, reason: 'too-large' }
    }
    const writer = this.#serves === 'yes' ? this.#writer() : await this.#writerSoon()
    const now = this.#storeNow()
    return writer.write(this.#capped(request, now), now + LATE_MS)
  }

  async delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    if (keys.length === 0) return this.read({ keys: [], tags: [] })
    const writer = this.#serves === 'yes' ? this.#writer() : await this.#writerSoon()
    return writer.delete(keys)
  }

  async stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    if (tags.length === 0) return this.read({ keys: [], tags: [] })
    const writer = this.#serves === 'yes' ? this.#writer() : await this.#writerSoon()
    return writer.stamp(tags, mode)
  }

  async renew(key: string, token: string, ms: number): Promise<boolean> {
    const writer = this.#serves === 'yes' ? this.#writer() : await this.#writerSoon()
    return writer.renew(key, token, ms)
  }

  async release(key: string, token: string, end: LoadEnd = UNUSED): Promise<void> {
    const writer = this.#serves === 'yes' ? this.#writer() : await this.#writerSoon()
    await writer.release(key, token, end)
  }

  async probe(): Promise<void> {
    await this.read({ keys: [], tags: [] })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#connection++
    this.#serves = 'no'
    this.#heartbeat.stop()
    this.#context.clock.clearTimeout(this.#retry)
    // What was asked for in this turn is sent before the connection goes.
    await Promise.resolve()
    await this.#transport.close()
  }

  /** Payloads on the channels that were not ours. */
  get malformedMessages(): number {
    return this.#watch.malformed
  }

  async #untilServing(): Promise<void> {
    if (this.#closed) throw sessionClosed()
    if (this.#serves === 'soon') await this.#warm
    if (this.#closed) throw sessionClosed()
    if (this.#serves !== 'yes') throw notServing(this.#failure ?? this.#state.error)
  }

  #writer(): Writer {
    if (this.#powers.readOnly) throw takesNoWrites()
    return this.#powers.scripts ? this.#scripted : this.#plain
  }

  async #writerSoon(): Promise<Writer> {
    await this.#untilServing()
    return this.#writer()
  }

  #capped(request: WriteRequest, now: number): WriteRequest {
    const { maxKeepMs } = this.#state
    if (maxKeepMs === undefined) return request
    return { ...request, keepUntil: Math.min(request.keepUntil, now + maxKeepMs) }
  }

  #storeNow(): number {
    const { clock } = this.#context
    return this.#offset === undefined ? clock.wall() : clock.now() + this.#offset
  }

  #noteTime(now: number): void {
    this.#offset = now - this.#context.clock.now()
  }

  #changed(state: TransportState): void {
    if (this.#closed) return
    if (this.#isSameConnection(state)) {
      this.#state = state
      if (this.#serves === 'yes') this.#tellChanged()
      return
    }
    this.#connection++
    this.#state = state
    this.#failure = undefined
    this.#context.clock.clearTimeout(this.#retry)
    this.#heartbeat.stop()
    this.#retries = 0
    if (state.state !== 'ready') {
      this.#serves = 'no'
      this.#tell({ state: state.state })
      return
    }
    // What happened while there was no connection, or on the other one, nobody was told.
    if (this.#wasReady) this.#deliver({ kind: 'lost', renumbered: true })
    this.#wasReady = true
    if (state.lineage === 'other') this.#mustReset = true
    this.#watch.forget()
    if (this.#settings.coherence === 'bus') this.#subscribe()
    this.#begin()
  }

  /** Only more is known of the server that is in use: how it was found, what a sentinel says. */
  #isSameConnection({ state, lineage, readOnly }: TransportState): boolean {
    return (
      state === 'ready' &&
      lineage === undefined &&
      this.#state.state === 'ready' &&
      (readOnly === true) === (this.#state.readOnly === true)
    )
  }

  #subscribe(): void {
    const { bus } = this.#transport
    this.#announcer.bus = bus
    const channels = this.#announcer.channels(bus)
    const text = channels.join('\n')
    // The transport keeps up a subscription by itself.
    if (text === this.#channels) return
    this.#channels = text
    this.#subscriptions = 0
    this.#transport.subscribe(channels)
  }

  #begin(): void {
    const connection = this.#connection
    this.#serves = 'soon'
    this.#warm = warmUp({
      parts: this.#parts,
      announcer: this.#announcer,
      mustReset: this.#mustReset,
      readOnly: this.#state.readOnly === true,
    }).then(
      (warm) => {
        if (connection === this.#connection) this.#ready(warm)
      },
      (error: unknown) => {
        if (connection === this.#connection) this.#failed(error)
      },
    )
  }

  #ready({ scripts, positions, now }: Warm): void {
    this.#noteTime(now)
    this.#mustReset = false
    this.#failure = undefined
    this.#retries = 0
    this.#powers = { scripts, readOnly: this.#state.readOnly === true }
    this.#serves = 'yes'
    this.#follow(positions)
    this.#tellReady()
    if (this.#state.partial || this.#state.error) this.#tellChanged()
  }

  #tellChanged(): void {
    const { partial, error } = this.#state
    this.#tellReady({
      sameConnection: true,
      ...(error ? { error } : {}),
      ...(partial ? { state: 'suspect', error: partial } : {}),
    })
  }

  #tellReady(more: Partial<StoreState> = {}): void {
    const { readOnly, scripts } = this.#powers
    this.#tell({
      state: 'ready',
      ...(readOnly ? { readOnly: true } : {}),
      ...(this.#deaf ? { coherence: 'ttl-only', error: this.#deaf } : {}),
      ...(scripts ? {} : this.#withoutScripts()),
      ...more,
    })
  }

  #withoutScripts(): Partial<StoreState> {
    const { coherence } = this.#settings
    return {
      supports: { leases: false, atomic: false },
      ...(coherence === 'bus' ? { coherence: 'ttl-only' } : {}),
      error: withoutScripts(),
    }
  }

  #follow(positions: ReadonlyMap<number, Position>): void {
    if (!this.#isTold) {
      if (this.#channels !== '') this.#transport.subscribe([])
      this.#channels = ''
      this.#announcer.bus = undefined
      return
    }
    if (this.#deaf) return
    for (const [partition, position] of positions) this.#watch.begin(partition, position)
    this.#heartbeat.start()
    // Messages before the subscription were missed, if it came after the positions.
    if (this.#subscriptions > 0) void this.#heartbeat.beat()
  }

  /** Whether there is a bus at present: it takes scripts to speak on it. */
  get #isTold(): boolean {
    return this.#settings.coherence === 'bus' && this.#powers.scripts
  }

  #failed(error: unknown): void {
    this.#serves = 'no'
    const cause = error instanceof Error ? error : notServing(error)
    this.#failure = cause
    this.#tell({ state: 'down', error: cause })
    const { clock, random } = this.#context
    const ms = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries) * (0.5 + random() / 2)
    this.#retries++
    this.#retry = clock.setTimeout(() => this.#begin(), ms, { unref: true })
  }

  #tell(state: Omit<StoreState, 'source'>): void {
    const { source, error } = this.#state
    this.#context.onState({
      source,
      ...(error && state.state !== 'ready' ? { error } : {}),
      ...state,
    })
  }

  #receive(payload: Buffer): void {
    if (!this.#closed) this.#watch.receive(payload)
  }

  #subscribed(): void {
    if (this.#closed || this.#channels === '') return
    this.#subscriptions++
    if (this.#deaf) {
      this.#hearsAgain()
      return
    }
    if (this.#serves !== 'yes') return
    if (this.#subscriptions === 1) void this.#heartbeat.beat()
    else void this.#resume()
  }

  #denied(error: Error): void {
    if (this.#closed || this.#channels === '' || this.#deaf) return
    this.#deaf = cannotListen(this.#settings.prefix, error)
    this.#heartbeat.stop()
    if (this.#serves !== 'yes') return
    // From now on copies live as short as without a bus; those that are there were made for longer.
    this.#deliver({ kind: 'lost' })
    this.#tellChanged()
  }

  #hearsAgain(): void {
    this.#deaf = undefined
    if (this.#serves !== 'yes') return
    this.#tellChanged()
    this.#heartbeat.start()
    void this.#resume()
  }

  /** After a loss of the subscription alone: nothing is known of what was said meanwhile. */
  async #resume(): Promise<void> {
    const connection = this.#connection
    this.#watch.forget()
    this.#deliver({ kind: 'lost' })
    const positions = await findPositions(this.#parts)
    if (connection !== this.#connection) return
    for (const [partition, position] of positions) {
      if (position) this.#watch.begin(partition, position)
    }
  }

  #deliver(message: BusMessage): void {
    if (this.#closed) return
    try {
      this.#context.onMessage?.(message)
    } catch {
      // A listener that fails has nobody here to tell, and must not harm the connection.
    }
  }
}

/** Unlikely to be another session's. */
function senderId(random: () => number): string {
  const part = (): string => Math.floor(random() * 2 ** 32).toString(36)
  return `${part()}${part()}`
}
