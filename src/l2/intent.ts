/** `key`: entries deleted or set. `hard`, `soft`: tags stamped. */
export type IntentKind = 'key' | 'hard' | 'soft'

/**
 * One operation that changes L2, from the moment it has been done in this process until L2 has
 * acknowledged it or has not. Its number says whether it was begun before or after another one.
 */
export class Intent {
  readonly number: number
  readonly kind: IntentKind
  /** Keys, or tags. */
  readonly names: readonly string[]
  /** What was begun next for one of its names, while this was still under way. */
  successor: Intent | undefined
  #ended = false
  /** Whether L2 has acknowledged it. */
  readonly outcome: Promise<boolean>
  readonly #resolve: (acknowledged: boolean) => void

  constructor(number: number, kind: IntentKind, names: readonly string[]) {
    this.number = number
    this.kind = kind
    this.names = names
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.outcome = promise
    this.#resolve = resolve
  }

  /**
   * Whether its next step must not be done any more: what was begun later would be overwritten, or
   * its caller has been told that it failed, and L2 is told by the replay.
   */
  get isOver(): boolean {
    return this.#ended || this.successor !== undefined
  }

  /** What has become of it if it is over: whatever the later one comes to. */
  superseded(): Promise<boolean> {
    return this.successor?.outcome ?? this.outcome
  }

  end(acknowledged: boolean): void {
    this.#ended = true
    this.#resolve(acknowledged)
  }
}
