import type { LoadEnd, Position, StampMode, WriteReply, WriteRequest } from '../contracts/store.ts'
import { ResilienceError } from '../kernel/errors.ts'
import type { Gate, GateState } from './gate.ts'
import type { Intent, IntentKind } from './intent.ts'
import { Journal, type Replayed } from './journal.ts'
import { Replay } from './replay.ts'
import type { StoreLink } from './store-link.ts'

/** Nobody waits for a replay: it may take longer than what a caller is made to wait. */
const REPLAY_TIMEOUT_MS = 1000

/** All that changes L2, and the journal of what L2 has not heard of or may have lost. */
export class RemoteWrites {
  readonly gate: Gate
  readonly journal = new Journal()
  readonly #link: StoreLink
  readonly #replay: Replay
  readonly #position: () => Promise<Position>

  /** @param position where the stamps' sequence stands, asked of the store */
  constructor(
    link: StoreLink,
    onGate: (state: GateState) => void,
    position: () => Promise<Position>,
  ) {
    const { clock, random } = link.options
    this.#link = link
    this.#position = position
    this.#replay = new Replay({
      clock,
      random,
      journal: this.journal,
      tell: (replayed) => this.#tellAgain(replayed),
      onError: (error) => {
        // Why it is away has been said; that it takes nothing then would only hide it.
        const { status } = link
        if (status.state !== 'down' && !status.readOnly) status.lastError = error
      },
    })
    this.gate = link.gate('write', () => this.#probe(), onGate)
  }

  get isPossible(): boolean {
    const { status, closed } = this.#link
    return !this.gate.open && status.state !== 'down' && !status.readOnly && !closed
  }

  async commit(request: WriteRequest): Promise<WriteReply | undefined> {
    if (!this.isPossible) return undefined
    const reply = await this.#attempt('write', () => this.#link.session.write(request))
    if (isTooLarge(reply)) this.#reportTooLarge()
    return reply
  }

  async set(
    key: string,
    prepare: (now: Position) => Promise<WriteRequest | undefined>,
  ): Promise<boolean> {
    const intent = this.journal.begin('key', [key])
    let isStored = true
    const isAcknowledged = await this.#carryOut(intent, async () => {
      const { session, status } = this.#link
      const { connections } = status
      const request = await this.#position().then(prepare)
      if (intent.isOver) return intent.superseded()
      // Stamps that come are compared with that position: it has to be of this server. It is not asked
      // for again, because it would be newer than tags that were invalidated meanwhile.
      const isOfHere = status.connections === connections
      const written = request && isOfHere ? await session.write(request) : undefined
      if (isTooLarge(written)) this.#reportTooLarge()
      if (written?.stored) return true
      if (intent.isOver) return intent.superseded()
      isStored = false
      await session.delete([key])
      this.#told('key', [key])
      return true
    })
    return isAcknowledged && isStored
  }

  delete(keys: readonly string[]): Promise<boolean> {
    return this.#invalidate('key', keys, () => this.#link.session.delete(keys))
  }

  stamp(tags: readonly string[], mode: StampMode): Promise<boolean> {
    return this.#invalidate(mode, tags, () => this.#link.session.stamp(tags, mode))
  }

  async renew(key: string, token: string, ms: number): Promise<boolean | undefined> {
    if (!this.isPossible) return undefined
    return this.#attempt('lease', () => this.#link.session.renew(key, token, ms))
  }

  async release(key: string, token: string, end: LoadEnd | undefined): Promise<void> {
    if (!this.isPossible) return
    await this.#attempt('lease', () => this.#link.session.release(key, token, end))
  }

  /** L2 is there, the same server as before or another one, which has lost what it heard last. */
  tellAll(isPerhapsAnother: boolean): void {
    if (isPerhapsAnother) this.journal.recall(this.#link.options.clock.now())
    this.#replay.hurry()
  }

  stop(): void {
    this.gate.stop()
    this.#replay.stop()
  }

  #attempt<T>(kind: string, operation: () => Promise<T>): Promise<T | undefined> {
    return this.#link.attempts.run({
      gate: this.gate,
      kind,
      operation,
      countsOncePerTurn: true,
      // It need not have come from the store at all, and says nothing of how that is.
      isTelling: (reply) => !isTooLarge(reply),
    })
  }

  async #invalidate(
    kind: IntentKind,
    names: readonly string[],
    operation: () => Promise<unknown>,
  ): Promise<boolean> {
    const isAcknowledged = await this.#carryOut(this.journal.begin(kind, names), () =>
      operation().then(() => true),
    )
    if (isAcknowledged) this.#told(kind, names)
    return isAcknowledged
  }

  async #carryOut(intent: Intent, operation: () => Promise<boolean>): Promise<boolean> {
    const isAcknowledged = this.isPossible && (await this.#attempt('write', operation)) === true
    if (isAcknowledged) this.journal.acknowledged(intent)
    else {
      this.journal.failed(intent)
      this.#replay.schedule()
    }
    intent.end(isAcknowledged)
    return isAcknowledged
  }

  #told(kind: IntentKind, names: readonly string[]): void {
    this.journal.told(kind, names, this.#link.options.clock.now())
  }

  async #probe(): Promise<void> {
    await this.#link.probe()
    if (!this.#link.status.readOnly && (await this.#replay.run())) return
    throw new ResilienceError('ERR_L2_UNAVAILABLE', 'L2 could not be told what it has missed')
  }

  async #tellAgain({ kind, names }: Replayed): Promise<void> {
    const { session, status, options } = this.#link
    if (status.state === 'down' || status.readOnly) {
      throw new ResilienceError('ERR_L2_UNAVAILABLE', 'L2 takes no invalidations at present')
    }
    const told =
      kind === 'all'
        ? session.stamp([options.rootTag], 'hard')
        : kind === 'key'
          ? session.delete(names)
          : session.stamp(names, kind)
    await this.#link.within(REPLAY_TIMEOUT_MS, told)
  }

  #reportTooLarge(): void {
    const remedy = 'raise the size of the store, or keep such values out of it with `l2: false`'
    const message = `a value is too large for L2: ${remedy}`
    this.#link.reported('too-large', new ResilienceError('ERR_UNSERIALIZABLE', message))
  }
}

function isTooLarge(reply: unknown): boolean {
  return (
    (reply as Partial<Extract<WriteReply, { stored: false }>> | undefined)?.reason === 'too-large'
  )
}
