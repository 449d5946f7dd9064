import type { LocalKey } from '../l1/local-level.ts'
import type { Region } from './region.ts'

/** Tells of a read that was answered with a fresh value. */
export function emitHit(region: Region, key: LocalKey, level: 'l1' | 'l2'): void {
  const { core, label } = region
  if (!core.events.has('hit')) return
  core.events.emit('hit', { cache: core.name, function: label, level, key: region.storeKey(key) })
}

/** Tells that no level has a fresh value. */
export function emitMiss(region: Region, key: LocalKey): void {
  const { core, label } = region
  if (!core.events.has('miss')) return
  core.events.emit('miss', { cache: core.name, function: label, key: region.storeKey(key) })
}
