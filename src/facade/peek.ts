import { ENTRY_COPY, ENTRY_ERROR } from '../l1/entry.ts'
import { copyOf } from '../l1/sharing.ts'
import { judge } from '../read-path/freshness.ts'
import type { WrappedCore } from './wrapped-core.ts'

export interface Peeked {
  readonly value: unknown
  readonly createdAt: number
  readonly freshUntil: number
}

/** The entry that `peek` may show: fresh, not an error, in L1 now. */
export function peeked(
  core: WrappedCore,
  self: unknown,
  args: readonly unknown[],
): Peeked | undefined {
  const region = core.use()
  const entry = region.lru.get(core.keyFor(self, args))
  if (entry === undefined) return undefined
  const { clock, sharing, stamps } = region.core
  if (clock.coarse.now === Number.POSITIVE_INFINITY) clock.wake()
  if (judge(entry, core.policy, stamps, clock.now()) !== 'fresh') return undefined
  if (entry.has(ENTRY_ERROR)) return undefined
  region.hits++
  if (!entry.has(ENTRY_COPY) && sharing !== 'clone') return entry
  return { value: copyOf(entry.value), createdAt: entry.createdAt, freshUntil: entry.freshUntil }
}
