import { ENTRY_ERROR, type Entry, entryTags } from '../l1/entry.ts'
import { decodeRecord } from '../read-path/decode-record.ts'
import { judge, type Verdict } from '../read-path/freshness.ts'
import type { Read } from '../read-path/read-request.ts'
import { tagsOf } from '../read-path/tags-of.ts'
import type { Explanation, LevelExplanation } from './results.ts'

/** What each level holds for a read, and how the read would end. */
export async function explain(request: Read): Promise<Explanation> {
  const { region, key } = request
  const l1 = explainL1(request)
  const l2 = await explainL2(request)
  const load = region.flights.has(key) ? 'running' : 'none'
  return { key: region.storeKey(key), summary: summaryOf(l1, l2, load), l1, l2, load }
}

function explainL1({ region, key, policy }: Read): LevelExplanation {
  const { clock, stamps, useL1 } = region.core
  if (!policy.useL1 || !useL1) return { state: 'off' }
  const entry = region.lru.peek(key)
  if (!entry) return { state: 'missing' }
  const now = clock.now()
  const isError = entry.has(ENTRY_ERROR)
  const verdict = judge(entry, policy, stamps, now)
  return described(entry, isError && verdict === 'fresh' ? 'error' : verdict, now)
}

async function explainL2({ region, key, policy, args }: Read): Promise<LevelExplanation> {
  const { clock, remote, stamps } = region.core
  if (!remote || !policy.useL2) return { state: 'off' }
  const tags = tagsOf(region, policy, args)
  const until = clock.now() + remote.timeoutMs
  const storeKey = region.storeKey(key)
  const reply = await remote.read({ keys: [storeKey], tags })
  if (!reply) return { state: 'down' }
  const record = reply.records[0]
  if (!record) return { state: 'missing' }
  const asked = { reply, tags, until }
  const found = await decodeRecord(region, storeKey, policy, record, 0, asked, stamps.sequence)
  if (!found) return { state: 'dead' }
  // The call declares other tags than the entry was stored with: a read does not take it either.
  const stored = new Set([...region.scopeTags, ...found.tags])
  if (!tags.every((tag) => stored.has(tag))) return { state: 'dead' }
  const now = clock.now()
  const { entry, expired } = found
  const fresh = !expired && now < entry.freshUntil
  const usable = now < entry.freshUntil + policy.graceMs
  return described(entry, fresh ? 'fresh' : usable ? 'stale' : 'dead', now)
}

function described(entry: Entry, state: Verdict | 'error', now: number): LevelExplanation {
  return {
    state,
    ageMs: now - entry.createdAt,
    freshForMs: entry.freshUntil - now,
    tags: entryTags(entry).map((tag) => tag.slice(tag.indexOf('#') + 1)),
  }
}

function summaryOf(l1: LevelExplanation, l2: LevelExplanation, load: 'none' | 'running'): string {
  if (l1.state === 'fresh') return 'hit in L1: the entry is fresh'
  if (l1.state === 'error') return 'the error of the last load is handed out until errorTtl ends'
  if (load === 'running') return 'a load is under way: the call joins it'
  if (l1.state === 'unverified' && l2.state === 'down') {
    return 'hit in L1: fresh by its ttl, and L2 cannot be asked'
  }
  if (l2.state === 'fresh') return `hit in L2: L1 is ${l1.state}, L2 has a fresh entry`
  if (l1.state === 'stale' || l2.state === 'stale') {
    return 'stale: served in its grace while the origin is called'
  }
  return `miss: L1 is ${l1.state}, L2 is ${l2.state}; the origin is called`
}
