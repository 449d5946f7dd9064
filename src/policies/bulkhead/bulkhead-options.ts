import type { Clock } from '../../contracts/clock.ts'
import { type Duration, kindOf, shown, toMs } from '../../kernel/duration.ts'
import { checkCount, checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'

/** Options of `bulkhead` and `semaphore`. */
export interface BulkheadOptions {
  /** Tasks at the same time; of tasks with a weight, their sum. */
  max: number
  /** Callers that may wait for a place. @default 0 in a bulkhead, unlimited in a semaphore */
  queue?: number
  /** How long each of them may wait. @default as long as its signal and deadline let it */
  maxWait?: Duration
  /** Label of its metrics, and in the messages of errors. */
  name?: string
  /** @default real time */
  clock?: Clock
}

/** The same, checked and with its defaults. */
export interface BulkheadSettings {
  /** What error messages call it. */
  readonly label: string
  readonly name: string
  readonly max: number
  readonly queue: number
  readonly maxWaitMs: number
  readonly clock: Clock
}

const NAMES = ['max', 'queue', 'maxWait', 'name', 'clock']

/** @throws ERR_INVALID_OPTION */
export function resolveBulkhead(
  given: unknown,
  kind: 'bulkhead' | 'semaphore',
  queueDefault: number,
): BulkheadSettings {
  const options = typeof given === 'number' ? { max: given } : given
  checkOptionNames(options, NAMES, `${kind}()`)
  const { max, queue = queueDefault, maxWait, name, clock = realClock } = options
  checkCount(max ?? 'nothing', 'max')
  checkQueue(queue)
  if (name !== undefined && typeof name !== 'string') {
    throw invalidOption(`name must be text, got ${kindOf(name)}`)
  }
  return {
    label: name === undefined ? `the ${kind}` : `the ${kind} '${name}'`,
    name: name ?? kind,
    max: max as number,
    queue,
    maxWaitMs: maxWait === undefined ? Number.POSITIVE_INFINITY : toMs(maxWait, 'maxWait'),
    clock: clock as Clock,
  }
}

function checkQueue(queue: unknown): asserts queue is number {
  const isCount = Number.isInteger(queue) || queue === Number.POSITIVE_INFINITY
  if (!isCount || (queue as number) < 0) {
    throw invalidOption(`queue must be a whole number ≥ 0, got ${shown(queue)}`)
  }
}
