import { ENTRY_ERROR, ENTRY_HERE_ONLY } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { emitHit, emitMiss } from './emit-hit.ts'
import { examine } from './examine.ts'
import type { Found } from './found.ts'
import { judge } from './freshness.ts'
import { askFor, knownCopy, tagsOfCopies } from './known-copy.ts'
import { entryOutcome, type Outcome } from './outcome.ts'
import { partsOf } from './parts-of.ts'
import type { Policy } from './policy.ts'
import { keepConfirmed } from './promote.ts'
import type { Region } from './region.ts'
import { put } from './write-back.ts'

const NOTHING: ReadonlyMap<LocalKey, Found> = new Map()

/**
 * Reads without an origin: fresh values of L1, the rest from L2, which is never asked for a lease.
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
  const found = policy.useL2 ? await inParts(region, wanted, policy) : NOTHING
  return outcomes.map((outcome, i) => {
    if (outcome) return outcome
    const key = keys[i] as LocalKey
    const one = found.get(key)
    if (one && one !== 'silent') return countFound(region, key, one)
    // L2 cannot say anything against it: a copy that is fresh by its own ttl is as good as it gets.
    const isOurs = one === 'silent' || region.lru.peek(key)?.has(ENTRY_HERE_ONLY) === true
    const answer = isOurs ? fromL1(region, key, policy, 'unverified') : undefined
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

/** What L2 has fresh of these keys; `silent` where it did not answer. */
async function inParts(
  region: Region,
  keys: readonly LocalKey[],
  policy: Policy,
): Promise<ReadonlyMap<LocalKey, Found | 'silent'>> {
  const all = new Map<LocalKey, Found | 'silent'>()
  const readPart = async (part: readonly LocalKey[]): Promise<void> => {
    const found = await fromRemote(region, part, policy)
    if (found) for (const [key, one] of found) all.set(key, one)
    else for (const key of part) all.set(key, 'silent')
  }
  await Promise.all(partsOf(keys).map(readPart))
  return all
}

/** What L2 has fresh of these keys; `undefined` when it cannot be asked. */
export async function fromRemote(
  region: Region,
  keys: readonly LocalKey[],
  policy: Policy,
): Promise<Map<LocalKey, Found> | undefined> {
  const { core } = region
  const found = new Map<LocalKey, Found>()
  const { writes } = region
  const { sequence } = core.stamps
  const copies = keys.map((key) =>
    knownCopy(region, policy.useL1 ? region.lru.peek(key) : undefined),
  )
  const tags = [...new Set([...region.scopeTags, ...tagsOfCopies(copies)])]
  const storeKeys = keys.map((key) => region.storeKey(key))
  const askedAt = core.clock.now()
  const reply = await core.remote?.read({ keys: storeKeys, tags, ...askFor(copies) })
  if (!core.remote || !reply) return undefined
  const asked = { reply, tags, until: askedAt + core.remote.timeoutMs }
  await Promise.all(
    keys.map(async (key, index) => {
      const record = reply.records[index]
      if (!record) return
      const copy = copies[index]
      const storeKey = storeKeys[index] as string
      const examined = { storeKey, policy, record, index, asked, sequence, copy }
      const one = await examine(region, examined)
      if (!one || one === 'silent' || !one.fresh) return
      found.set(key, one)
      // Something was written or invalidated meanwhile: right for this caller, too old to keep.
      const isOvertaken = region.writes !== writes || core.stamps.sequence !== sequence
      if (policy.useL1 && core.useL1 && !isOvertaken) keep(region, key, policy, one, sequence)
    }),
  )
  return found
}

/** Unless something newer was put there meanwhile. */
function keep(region: Region, key: LocalKey, policy: Policy, found: Found, sequence: number): void {
  const present = region.lru.peek(key)
  if (found.isCopy) keepConfirmed(region, key, policy, found, sequence)
  else if (present === undefined || present.createdAt <= found.entry.createdAt) {
    put(region, key, found.entry, policy)
  }
}

/** A read that was answered with what L2 has, or has confirmed. */
export function countFound(region: Region, key: LocalKey, { entry, isCopy }: Found): Outcome {
  const level = isCopy ? 'l1' : 'l2'
  region.count(level, 1)
  emitHit(region, key, level)
  return entryOutcome(entry, level, isCopy ? 'revalidated' : 'promoted')
}
