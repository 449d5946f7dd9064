import type { Region } from './region.ts'

/** Clocks of one store's servers, and of its writers, are not further apart than this. */
const CLOCK_SLACK_MS = 5000

/** Counts an entry of L2 that is not to be believed; it is a miss. */
export function rejectEntry(region: Region, kind: string, error?: unknown): undefined {
  const { core } = region
  core.rejectedEntries++
  core.events.emit('error', { cache: core.name, kind: `entry-${kind}`, error })
  return undefined
}

/**
 * Whether an entry is newer than the store's own clock allows. That was set back, or belongs to
 * another server by now: the entry would stay fresh for as much longer than its ttl.
 */
export function isFromFuture(region: Region, createdAt: number, now?: number): boolean {
  const { remote } = region.core
  return remote !== undefined && createdAt > remote.storeNow(now) + CLOCK_SLACK_MS
}
