import type { Clock } from '../contracts/clock.ts'
import { ResilienceError } from '../kernel/errors.ts'
import type { Deadline, Deadlines, Waiter } from './deadlines.ts'
import type { Gate } from './gate.ts'

interface AttemptsOptions {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly timeoutMs: () => number
  readonly onFailure: (kind: string, error: unknown) => void
  /** A deadline passed only because this process was blocked: the reply was there right after. */
  readonly onBlocked: () => void
}

export interface Attempt<T> {
  readonly gate: Gate
  /** Names what failed. */
  readonly kind: string
  readonly operation: () => Promise<T>
  /** Whether the reply shows that L2 serves. */
  readonly isTelling?: (result: T) => boolean
  /** Whether all that is begun in this turn and fails counts as one failure. */
  readonly countsOncePerTurn?: boolean
  /** For a reply that nobody waits for any more: a lease that it grants has to be given back. */
  readonly onLate?: (result: T) => void
}

/** What was begun in one turn of the event loop. */
interface Turn {
  hasFailed: boolean
}

/** Asks the store, for as long as its deadline, and tells the gate what became of it. */
export class Attempts {
  readonly #options: AttemptsOptions
  #turn: Turn | undefined

  constructor(options: AttemptsOptions) {
    this.#options = options
  }

  /** `undefined` when it failed or did not answer within the deadline. */
  run<T>(attempt: Attempt<T>): Promise<T | undefined> {
    const turn = attempt.countsOncePerTurn ? this.#thisTurn() : { hasFailed: false }
    return new Promise((resolve) => {
      new Trial(attempt, turn, this.#options, resolve).begin()
    })
  }

  #thisTurn(): Turn {
    if (this.#turn) return this.#turn
    const turn: Turn = { hasFailed: false }
    this.#turn = turn
    this.#options.clock.immediate(() => {
      this.#turn = undefined
    })
    return turn
  }
}

/**
 * One attempt. It answers whoever waits for it at the deadline at the latest; but where this process
 * was blocked until after the deadline, L2 is judged by whether it answers within another one.
 */
class Trial<T> implements Waiter {
  isOver = false
  #isAnswered = false
  readonly #attempt: Attempt<T>
  readonly #turn: Turn
  readonly #options: AttemptsOptions
  readonly #answer: (result: T | undefined) => void
  #deadline: Deadline | undefined

  constructor(
    attempt: Attempt<T>,
    turn: Turn,
    options: AttemptsOptions,
    answer: (result: T | undefined) => void,
  ) {
    this.#attempt = attempt
    this.#turn = turn
    this.#options = options
    this.#answer = answer
  }

  begin(): void {
    this.#deadline = this.#options.deadlines.join(this)
    this.#ask().then(
      (result) => this.#arrived(result),
      (error: unknown) => this.#failed(error),
    )
  }

  #ask(): Promise<T> {
    try {
      return this.#attempt.operation()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  onDue(deadline: Deadline): void {
    const isFirst = !this.#isAnswered
    const hadNoChance = isFirst && deadline.wasBlocked
    if (hadNoChance) {
      const { deadlines } = this.#options
      deadlines.leave(deadline)
      this.#deadline = deadlines.join(this)
    } else {
      const ms = this.#options.timeoutMs()
      this.#failed(new ResilienceError('ERR_TIMEOUT', `L2 did not answer within ${ms} ms`))
    }
    // After the failure was counted: who is answered may ask again at once.
    if (isFirst) this.#end(undefined)
  }

  #arrived(result: T): void {
    const { isTelling, gate, onLate } = this.#attempt
    if (!this.isOver) {
      if (this.#isAnswered || this.#deadline?.isDue) this.#options.onBlocked()
      this.#leave()
      if (isTelling?.(result) !== false) gate.succeeded()
    }
    if (this.#isAnswered) onLate?.(result)
    else this.#end(result)
  }

  #failed(error: unknown): void {
    if (this.isOver) return
    this.#leave()
    const { gate, kind } = this.#attempt
    this.#options.onFailure(kind, error)
    if (!this.#turn.hasFailed) {
      this.#turn.hasFailed = true
      gate.failed(error)
    }
    if (!this.#isAnswered) this.#end(undefined)
  }

  #end(result: T | undefined): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#answer(result)
  }

  #leave(): void {
    this.isOver = true
    if (this.#deadline) this.#options.deadlines.leave(this.#deadline)
  }
}
