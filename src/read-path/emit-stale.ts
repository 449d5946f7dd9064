import type { LocalKey } from '../l1/local-level.ts'
import type { OutcomeKind } from './outcome.ts'
import type { Region } from './region.ts'

const REASONS = {
  'stale-error': 'error',
  'stale-timeout': 'timeout',
  'stale-capped': 'capped',
} as const

/** Tells of one caller that is served a stale value. */
export function emitStale(region: Region, key: LocalKey, kind: OutcomeKind): void {
  const { core, label } = region
  if (!core.events.has('stale')) return
  core.events.emit('stale', {
    cache: core.name,
    function: label,
    reason: REASONS[kind as keyof typeof REASONS] ?? 'revalidate',
    key: region.storeKey(key),
  })
}
