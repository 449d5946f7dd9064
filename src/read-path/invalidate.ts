import { ResilienceError } from '../kernel/errors.ts'
import { ENTRY_HERE_ONLY, ENTRY_IN_L2, type Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { payloadOf, writeRequest } from './commit.ts'
import type { Core } from './core.ts'
import type { Policy } from './policy.ts'
import { closedError } from './read.ts'
import type { Region } from './region.ts'
import { entryOf, put } from './write-back.ts'

/** How far an operation has got when it resolves. */
export interface Durability {
  /**
   * `true`: every level has it. `false`: it is done in this process, L2 has not acknowledged it and
   * is told again until it does, as long as this process lives.
   */
  readonly durable: boolean
}

/** Removes one entry everywhere. A load that began earlier answers its callers and stores nothing. */
export function invalidateKeys(
  region: Region,
  keys: readonly LocalKey[],
  policy: Policy,
): Promise<Durability> {
  const { core } = region
  assertOpen(core)
  for (const key of keys) {
    region.lru.delete(key)
    region.flights.get(key)?.detach()
  }
  region.writes++
  region.invalidations += keys.length
  emit(core, 'key', 'hard')
  if (!core.remote || !policy.useL2) return done(true, policy.strict)
  return done(core.remote.delete(keys.map((key) => region.storeKey(key))), policy.strict)
}

/** Puts a value in by hand: here at once, over whatever a load that began earlier will bring. */
export function setValue(
  region: Region,
  key: LocalKey,
  value: unknown,
  policy: Policy,
  given: { tags: readonly string[]; ttlMs?: number | undefined },
): Promise<Durability> {
  const { core } = region
  assertOpen(core)
  region.sets++
  region.writes++
  region.flights.get(key)?.detach()
  const loaded = { value, durationMs: 0, skip: false, ...given }
  const entry = entryOf(region, policy, loaded, core.stamps.sequence)
  if (entry && policy.useL1 && core.useL1) put(region, key, entry, policy)
  else region.lru.delete(key)
  const { remote } = core
  if (!remote || !policy.useL2) return done(true, policy.strict)
  entry?.mark(ENTRY_HERE_ONLY)
  return done(tellL2(region, key, entry, policy, given.tags), policy.strict)
}

/**
 * What L2 cannot carry is deleted there, so that no older value is left; it is not durable.
 */
async function tellL2(
  region: Region,
  key: LocalKey,
  entry: Entry | undefined,
  policy: Policy,
  tags: readonly string[],
): Promise<boolean> {
  const { remote } = region.core
  const storeKey = region.storeKey(key)
  const payload = entry && payloadOf(region, entry, policy)
  if (!remote || !entry || !payload) {
    const isDeleted = (await remote?.delete([storeKey])) ?? false
    return isDeleted && entry === undefined
  }
  const isDurable = await remote.set(storeKey, (at) =>
    writeRequest(region, key, entry, policy, {
      epoch: at.epoch,
      sequence: at.sequence,
      tags,
      payload,
    }),
  )
  if (!isDurable) return false
  // From now on what is missing there was invalidated.
  entry.unmark(ENTRY_HERE_ONLY)
  entry.mark(ENTRY_IN_L2)
  return true
}

/** Invalidates by tag, in O(1): loads that began earlier are outdated by the stamp. */
export function invalidateTags(
  core: Core,
  tags: readonly string[],
  mode: 'hard' | 'soft',
  strict: boolean,
): Promise<Durability> {
  if (tags.length === 0) return done(true, strict)
  core.stamps.invalidate(tags, mode)
  emit(core, 'tags', mode)
  return done(core.remote ? core.remote.stamp(tags, mode) : true, strict)
}

/** Empties what carries a scope tag: a function, a namespace, the whole cache. */
export function clearScope(
  core: Core,
  regions: Iterable<Region>,
  { scopeTag, strict, useL2 }: { scopeTag: string; strict: boolean; useL2: boolean },
): Promise<Durability> {
  assertOpen(core)
  core.stamps.invalidate([scopeTag], 'hard')
  for (const region of regions) region.empty()
  emit(core, 'clear', 'hard')
  const tellsL2 = core.remote !== undefined && useL2
  return done(tellsL2 ? core.remote.stamp([scopeTag], 'hard') : true, strict)
}

function assertOpen(core: Core): void {
  if (core.closed) throw closedError(core.name)
}

async function done(
  acknowledged: boolean | Promise<boolean>,
  strict: boolean,
): Promise<Durability> {
  const durable = await acknowledged
  if (!durable && strict) {
    throw new ResilienceError(
      'ERR_L2_UNAVAILABLE',
      'L2 did not acknowledge the operation; it is done in this process and will be repeated to L2. ' +
        'Leave out `strict` to get { durable: false } instead',
    )
  }
  return { durable }
}

function emit(core: Core, kind: 'key' | 'tags' | 'clear', mode: 'hard' | 'soft'): void {
  if (core.events.has('invalidate')) {
    core.events.emit('invalidate', { cache: core.name, kind, mode })
  }
}
