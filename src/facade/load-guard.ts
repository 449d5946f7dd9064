import type { Clock } from '../contracts/clock.ts'
import { type LoadGuard, loadGuardOf } from '../contracts/load-guard.ts'
import type { ForeignLimiter, Runner } from '../contracts/runner.ts'
import { kindOf } from '../kernel/duration.ts'
import { invalidOption } from '../kernel/options.ts'
import { checkGuard, guard } from '../policies/guard/guard.ts'
import type { GuardOptions } from '../policies/guard/guard-options.ts'

/** Options are checked when wrapping; the guard itself is made at first use, with the clock of the cache. */
export function checkLoadGuard(given: unknown): void {
  if (given === undefined || typeof given === 'function') return
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidOption(
      `guard must be a guard, its options or a limiter such as pLimit(5), got ${kindOf(given)}`,
    )
  }
  checkGuard(given as GuardOptions)
}

/** What is made anew for each call cannot count failures or hold places. */
export function refuseInlineGuard(given: unknown): void {
  if (typeof given !== 'object' || given === null) return
  throw invalidOption(
    'guard of getOrSet() must be made once, outside of the call: ' +
      'const g = guard({ … }), then getOrSet(key, load, { guard: g })',
  )
}

export function resolveGuard(
  given: unknown,
  name: string,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): LoadGuard | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'function') return loadGuardOf(given as Runner | ForeignLimiter)
  return loadGuardOf(guard({ name, clock, random, ...(given as GuardOptions) }))
}
