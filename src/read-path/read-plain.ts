import { ENTRY_ERROR, type Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { decodeRecord } from './decode-record.ts'
import { emitHit, emitMiss } from './emit-hit.ts'
import { judge } from './freshness.ts'
import { entryOutcome, type Outcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import { put } from './write-back.ts'

/**
 * Reads without an origin: fresh values of L1, the rest in one read of L2 that never leases.
 * `undefined` where no level has a fresh value.
 */
export async function readPlain(
  region: Region,
  keys: readonly LocalKey[],
  policy: Policy,
): Promise<Array<Outcome | undefined>> {
  const outcomes = keys.map((key) => fromL1(region, key, policy, 'fresh'))
  const wanted = [...new Set(keys.filter((_, i) => outcomes[i] === undefined))]
  if (wanted.length === 0) return outcomes
  const found = policy.useL2 ? await fromRemote(region, wanted, policy) : new Map<LocalKey, Entry>()
  return outcomes.map((outcome, i) => {
    if (outcome) return outcome
    const key = keys[i] as LocalKey
    const entry = found?.get(key)
    if (entry) {
      region.hitsL2++
      emitHit(region, key, 'l2')
    }
    // L2 cannot be asked: a copy that is fresh by its own ttl is as good as it gets.
    const answer = entry
      ? entryOutcome(entry, 'l2', 'promoted')
      : found
        ? undefined
        : fromL1(region, key, policy, 'unverified')
    if (!answer) {
      region.misses++
      emitMiss(region, key)
    }
    return answer
  })
}

function fromL1(
  region: Region,
  key: LocalKey,
  policy: Policy,
  wanted: 'fresh' | 'unverified',
): Outcome | undefined {
  const { clock, stamps } = region.core
  const entry = policy.useL1 ? region.lru.get(key) : undefined
  if (!entry || judge(entry, policy, stamps, clock.now()) !== wanted) return undefined
  if (entry.has(ENTRY_ERROR)) return undefined
  region.hits++
  emitHit(region, key, 'l1')
  return entryOutcome(entry, 'l1', wanted === 'fresh' ? 'hit' : 'degraded')
}

/** What L2 has fresh of these keys; `undefined` when it cannot be asked. */
export async function fromRemote(
  region: Region,
  keys: readonly LocalKey[],
  policy: Policy,
): Promise<Map<LocalKey, Entry> | undefined> {
  const { core } = region
  const found = new Map<LocalKey, Entry>()
  const { writes } = region
  const { sequence } = core.stamps
  const tags = region.scopeTags
  const storeKeys = keys.map((key) => region.storeKey(key))
  const reply = await core.remote?.read({ keys: storeKeys, tags })
  if (!reply) return undefined
  await Promise.all(
    keys.map(async (key, i) => {
      const record = reply.records[i]
      if (!record) return
      const remote = await decodeRecord(region, key, policy, record, reply, tags, sequence)
      if (!remote || remote.expired || core.clock.now() >= remote.entry.freshUntil) return
      found.set(key, remote.entry)
      // Something was written, invalidated or promoted meanwhile: right for this caller, too old to keep.
      const present = region.lru.peek(key)
      const overtaken =
        region.writes !== writes ||
        core.stamps.sequence !== sequence ||
        (present !== undefined && present.createdAt > remote.entry.createdAt)
      if (policy.useL1 && core.useL1 && !overtaken) put(region, key, remote.entry, policy)
    }),
  )
  return found
}
