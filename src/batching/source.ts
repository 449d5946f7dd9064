/** What a batch brings for one of its keys; an Error is the key's own. */
export type Outcome<V> = V | Error | Rejection | Substitute<V>

/** It is handed out and not remembered. */
export class Unlasting {}

/** A failure that says nothing lasting about the key. */
export class Rejection extends Unlasting {
  readonly error: unknown

  constructor(error: unknown) {
    super()
    this.error = error
  }
}

/** A value from the fallback. */
export class Substitute<V> extends Unlasting {
  readonly value: V

  constructor(value: V) {
    super()
    this.value = value
  }
}

/** Who asks: its signal is made only when somebody wants it. */
export interface Asking {
  readonly signal: AbortSignal
}

/** Where the values of a batch come from. */
export interface Source<K, V> {
  /** Outcomes in the order of the keys. Never throws; rejects where the whole batch has failed. */
  read(keys: readonly K[], asking: Asking): Promise<ReadonlyArray<Outcome<V>>>
}
