import type { Asking } from './source.ts'

/** A call that is made for several askers: its signal is aborted when those of all of them are. */
export class JoinedSignal implements Asking {
  readonly #askers: readonly Asking[]
  #controller: AbortController | undefined
  #stop: (() => void) | undefined

  constructor(askers: readonly Asking[]) {
    this.#askers = askers
  }

  get signal(): AbortSignal {
    if (this.#askers.length === 1) return (this.#askers[0] as Asking).signal
    this.#controller ??= this.#watch(new AbortController())
    return this.#controller.signal
  }

  /** The call is over: no listener stays behind. */
  done(): void {
    this.#stop?.()
  }

  #watch(controller: AbortController): AbortController {
    const signals = this.#askers.map((asker) => asker.signal)
    const onAbort = (): void => {
      if (signals.every((signal) => signal.aborted)) controller.abort(signals[0]?.reason)
    }
    for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true })
    this.#stop = () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort)
    }
    onAbort()
    return controller
  }
}
