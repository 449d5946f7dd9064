import { ENTRY_ERROR, type Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { decodeRecord } from './decode-record.ts'
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
  const { core } = region
  const now = core.clock.now()
  const outcomes = keys.map((key) => {
    const entry = policy.useL1 ? region.lru.get(key) : undefined
    if (!entry || judge(entry, policy, core.stamps, now) !== 'fresh') return undefined
    if (entry.meta !== undefined && (entry.meta.flags & ENTRY_ERROR) !== 0) return undefined
    region.hits++
    return entryOutcome(entry, 'l1', 'hit')
  })
  const wanted = [...new Set(keys.filter((_, i) => outcomes[i] === undefined))]
  if (wanted.length === 0) return outcomes
  const found = policy.useL2 ? await fromRemote(region, wanted, policy) : new Map<LocalKey, Entry>()
  return outcomes.map((outcome, i) => {
    if (outcome) return outcome
    const entry = found.get(keys[i] as LocalKey)
    if (entry) region.hitsL2++
    else region.misses++
    return entry && entryOutcome(entry, 'l2', 'promoted')
  })
}

async function fromRemote(
  region: Region,
  keys: readonly LocalKey[],
  policy: Policy,
): Promise<Map<LocalKey, Entry>> {
  const { core } = region
  const found = new Map<LocalKey, Entry>()
  const { writes } = region
  const { sequence } = core.stamps
  const tags = region.scopeTags
  const storeKeys = keys.map((key) => region.storeKey(key))
  const reply = await core.remote?.read({ keys: storeKeys, tags })
  if (!reply) return found
  await Promise.all(
    keys.map(async (key, i) => {
      const record = reply.records[i]
      if (!record) return
      const remote = await decodeRecord(region, key, policy, record, reply, tags, sequence)
      if (!remote || remote.expired || core.clock.now() >= remote.entry.freshUntil) return
      found.set(key, remote.entry)
      // Something was written or invalidated meanwhile: right for this caller, too old to keep.
      const overtaken = region.writes !== writes || core.stamps.sequence !== sequence
      if (policy.useL1 && core.useL1 && !overtaken) put(region, key, remote.entry, policy)
    }),
  )
  return found
}
