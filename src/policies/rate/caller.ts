import type { HeldPermit } from './held-permit.ts'
import { Waiter } from './waiting-line.ts'

/** A caller in the line, and how it is told. */
export class Caller extends Waiter {
  readonly signal: AbortSignal | undefined
  readonly resolve: (permit: HeldPermit) => void
  readonly reject: (error: unknown) => void
  #onAbort: (() => void) | undefined

  constructor(
    [costs, priority, since, until]: ConstructorParameters<typeof Waiter>,
    signal: AbortSignal | undefined,
    resolve: (permit: HeldPermit) => void,
    reject: (error: unknown) => void,
  ) {
    super(costs, priority, since, until)
    this.signal = signal
    this.resolve = resolve
    this.reject = reject
  }

  onAbort(listener: () => void): void {
    if (this.signal === undefined) return
    this.#onAbort = listener
    this.signal.addEventListener('abort', listener, { once: true })
  }

  /** It waits no longer: nothing is left at its signal. */
  leave(): void {
    if (this.#onAbort) this.signal?.removeEventListener('abort', this.#onAbort)
  }
}
