import type { Permit, PermitSource, Refusal } from '../../contracts/permit.ts'
import { asRunner, type Cost, type Runner, type RunOptions } from '../../contracts/runner.ts'
import { unabortedSignal } from '../../kernel/unaborted-signal.ts'
import { checkWeight } from './bulkhead-errors.ts'
import { type BulkheadOptions, type BulkheadSettings, resolveBulkhead } from './bulkhead-options.ts'
import { type BulkheadEvents, type BulkheadStats, Slots } from './slots.ts'

/** Lets so many tasks through at a time, and no more. */
export interface Bulkhead extends Runner, PermitSource {
  /** Label of its metrics. */
  readonly name: string
  /** A permit, or a {@link Refusal} where it would have to wait. Never waits. */
  tryAcquire(weight?: Cost): Permit | Refusal
  /**
   * A permit, as soon as there is a place: `using permit = await bulkhead.acquire({ signal })`.
   *
   * @param weight places it takes. @default 1
   * @throws ERR_BULKHEAD_FULL when the queue is full or `maxWait` is over, ERR_ABORTED, ERR_TIMEOUT when
   * `deadline` has passed, ERR_CLOSED, ERR_INVALID_OPTION for a weight that never fits
   */
  acquire(weight?: Cost, options?: RunOptions): Promise<Permit>
  acquire(options: RunOptions): Promise<Permit>
  /** Resolves when nothing runs and nobody waits. It still lets others in: `close` it first for an end. */
  drain(options?: { signal?: AbortSignal }): Promise<void>
  /** Turns away who waits and who comes, with ERR_CLOSED. What runs goes on. */
  close(): void
  stats(): BulkheadStats
  /** @returns a function that stops listening */
  on<N extends keyof BulkheadEvents>(
    event: N,
    listener: (event: BulkheadEvents[N]) => unknown,
  ): () => void
}

/** Lets so many tasks through at a time; who comes when it is full waits. */
export type Semaphore = Bulkhead

/**
 * Lets `max` tasks through at a time and turns away what exceeds that, so that one slow dependency
 * cannot use up the whole service. With a `queue`, so many callers may wait.
 *
 * @example
 * ```ts
 * const reports = bulkhead({ max: 5, queue: 20, maxWait: '1s', name: 'reports' })
 * const report = await reports((signal) => makeReport(id, { signal }))
 * ```
 *
 * @throws ERR_INVALID_OPTION
 */
export function bulkhead(options: number | BulkheadOptions): Bulkhead {
  return build(resolveBulkhead(options, 'bulkhead', 0))
}

/**
 * A bulkhead whose callers wait, as many as there are unless `queue` bounds them: first come, first
 * served, higher `priority` before.
 *
 * @throws ERR_INVALID_OPTION
 */
export function semaphore(options: number | BulkheadOptions): Semaphore {
  return build(resolveBulkhead(options, 'semaphore', Number.POSITIVE_INFINITY))
}

function build(settings: BulkheadSettings): Bulkhead {
  const slots = new Slots(settings)
  const run: Runner = (task, options) => {
    const weight = options?.weight ?? 1
    // Only 1 is always right.
    if (weight === 1 && options?.signal?.aborted !== true && slots.take(1)) {
      return hold(slots, 1, task, options?.signal)
    }
    return runWhenFree(slots, weight, task, options)
  }
  const members: Pick<Bulkhead, Exclude<keyof Bulkhead, keyof Runner>> = {
    name: settings.name,
    tryAcquire(weight = 1) {
      if (weight !== 1) checkWeight(slots.settings, weight)
      if (slots.take(weight as number)) return new SlotPermit(slots, weight as number)
      return slots.isClosed ? NEVER : LATER
    },
    async acquire(first: Cost | RunOptions = 1, options?: RunOptions) {
      // A bulkhead has no dimensions to name, so an object can only be options.
      const isWeight = typeof first === 'number' || options !== undefined
      return acquire(
        slots,
        isWeight ? first : undefined,
        isWeight ? options : (first as RunOptions),
      )
    },
    drain: (options) => slots.drained(options?.signal),
    close: () => slots.close(),
    stats: () => slots.stats(),
    on: (event, listener) => slots.events.on(event, listener),
  }
  return asRunner(run, members as never) as Bulkhead
}

/** When a place becomes free depends on those who hold one: it may be worth trying at once. */
const LATER: Refusal = { ok: false, retryAfterMs: 0 }
const NEVER: Refusal = { ok: false, retryAfterMs: Number.POSITIVE_INFINITY }

class SlotPermit implements Permit {
  readonly ok = true
  readonly #slots: Slots
  #weight: number

  constructor(slots: Slots, weight: number) {
    this.#slots = slots
    this.#weight = weight
  }

  release(): void {
    const weight = this.#weight
    if (weight === 0) return
    this.#weight = 0
    this.#slots.give(weight)
  }

  settle(): void {
    this.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

async function acquire(slots: Slots, weight: unknown = 1, options?: RunOptions): Promise<Permit> {
  const wanted = weight === 1 ? (options?.weight ?? 1) : weight
  checkWeight(slots.settings, wanted)
  if (options?.signal?.aborted || !slots.take(wanted)) await slots.wait(wanted, options)
  return new SlotPermit(slots, wanted)
}

async function runWhenFree<T>(
  slots: Slots,
  weight: number,
  task: (signal: AbortSignal) => PromiseLike<T> | T,
  options: RunOptions | undefined,
): Promise<T> {
  const signal = options?.signal
  checkWeight(slots.settings, weight)
  if (signal?.aborted || !slots.take(weight)) await slots.wait(weight, options)
  // The place was given, and then the caller has left before it heard of it.
  if (signal?.aborted) {
    slots.give(weight)
    throw slots.abandoned(signal)
  }
  return hold(slots, weight, task, signal)
}

async function hold<T>(
  slots: Slots,
  weight: number,
  task: (signal: AbortSignal) => PromiseLike<T> | T,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    return await task(signal ?? unabortedSignal(task))
  } finally {
    slots.give(weight)
  }
}
