import { kindOf, shown } from '../../kernel/duration.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { invalidOption } from '../../kernel/options.ts'
import { quietError } from '../../kernel/quiet-error.ts'
import type { BulkheadSettings } from './bulkhead-options.ts'

export function fullError({ label, max, queue }: BulkheadSettings): ResilienceError {
  return quietError(
    'ERR_BULKHEAD_FULL',
    `${label} is full: ${max} run and ${queue} wait; try later, or give it a longer queue`,
  )
}

export function tooLongError({ label, maxWaitMs }: BulkheadSettings): ResilienceError {
  return new ResilienceError(
    'ERR_BULKHEAD_FULL',
    `${label} had no place within ${maxWaitMs} ms; try later, or raise maxWait`,
  )
}

export function lateError({ label }: BulkheadSettings): ResilienceError {
  return new ResilienceError(
    'ERR_TIMEOUT',
    `the deadline of the call passed while it waited for ${label}; give it more time`,
  )
}

export function closedError({ label }: BulkheadSettings): ResilienceError {
  return new ResilienceError('ERR_CLOSED', `${label} is closed; make another one`)
}

export function abortedError({ label }: BulkheadSettings, signal: AbortSignal): ResilienceError {
  return new ResilienceError('ERR_ABORTED', `waiting for ${label} was aborted by its signal`, {
    cause: signal.reason,
  })
}

/** @throws ERR_INVALID_OPTION for what could never be let in */
export function checkWeight(
  { label, max }: BulkheadSettings,
  weight: unknown,
): asserts weight is number {
  if (typeof weight !== 'number') {
    throw invalidOption(`${label} has one dimension: its cost is a number, got ${kindOf(weight)}`)
  }
  if (!Number.isInteger(weight) || weight < 1 || weight > max) {
    throw invalidOption(
      `the weight of a task in ${label} must be a whole number from 1 to ${max}, got ${shown(weight)}`,
    )
  }
}
