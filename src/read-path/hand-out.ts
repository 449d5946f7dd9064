import { copyOf } from '../l1/sharing.ts'
import type { Outcome } from './outcome.ts'
import type { Region } from './region.ts'

/** The value of an outcome, which its taker may keep and change as far as `l1.values` allows. */
export function handOut(region: Region, { copy, value }: Pick<Outcome, 'copy' | 'value'>): unknown {
  if (!copy && region.core.sharing !== 'clone') return value
  try {
    return copyOf(value)
  } catch {
    // What cannot be copied was not stored either: those who shared its load share it.
    return value
  }
}
