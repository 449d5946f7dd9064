import type {
  Admission,
  BreakerGate,
  Permit,
  PermitSource,
  Refusal,
} from '../../../src/contracts/permit.ts'
import type { Cost, RunOptions } from '../../../src/contracts/runner.ts'
import { ResilienceError } from '../../../src/kernel/errors.ts'

/** A breaker that writes down what it is told, and is opened by hand. */
export class FakeBreaker implements BreakerGate {
  readonly log: string[] = []
  open: ResilienceError | undefined

  openFor(retryAfterMs: number): void {
    this.open = new ResilienceError('ERR_CIRCUIT_OPEN', 'open', { retryAfterMs })
  }

  admit(): Admission | ResilienceError {
    if (this.open) return this.open
    return {
      ended: (outcome) => {
        this.log.push('error' in outcome ? `failed: ${nameOf(outcome.error)}` : 'succeeded')
      },
      dropped: () => {
        this.log.push('dropped')
      },
    }
  }
}

/** So many permits, first come, first served. */
export class FakeSource implements PermitSource {
  held = 0
  readonly asked: Array<RunOptions | undefined> = []
  readonly waiting: Array<{ grant(): void; reject(error: unknown): void }> = []
  readonly costs: Array<Cost | undefined> = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  tryAcquire(cost?: Cost): Permit | Refusal {
    this.costs.push(cost)
    return this.held < this.#max ? this.#permit() : { ok: false, retryAfterMs: 10 }
  }

  acquire(_cost?: Cost, options?: RunOptions): Promise<Permit> {
    this.asked.push(options)
    const { promise, resolve, reject } = Promise.withResolvers<Permit>()
    this.waiting.push({ grant: () => resolve(this.#permit()), reject })
    options?.signal?.addEventListener(
      'abort',
      () => reject(new ResilienceError('ERR_ABORTED', 'the wait was aborted')),
      { once: true },
    )
    return promise
  }

  #permit(): Permit {
    this.held++
    let isHeld = true
    const release = (): void => {
      if (isHeld) this.held--
      isHeld = false
    }
    return { ok: true, settle: release, release, [Symbol.dispose]: release }
  }
}

function nameOf(error: unknown): string {
  return (error as { code?: string }).code ?? (error as Error).message
}
