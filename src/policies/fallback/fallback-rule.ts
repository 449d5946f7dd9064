import type { FailedCall, Fallback } from '../../contracts/load-guard.ts'

/** What stands in for a value that could not be had: a value, or a function that makes one. */
export type FallbackValue =
  | ((error: unknown, call: FailedCall) => unknown)
  | object
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null

/** The last resort of a call. */
export class FallbackRule {
  readonly answer: Fallback

  constructor(given: unknown) {
    this.answer = typeof given === 'function' ? (given as Fallback) : () => given
  }
}
