import type { StoredRecord } from '../contracts/store.ts'
import { openAsync } from '../envelope/open.ts'
import { ENTRY_IN_L2, Entry, EntryMeta, packTags } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { epochOf, noteVersion } from './known-copy.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import { isFromFuture, rejectEntry } from './reject-entry.ts'
import { standingOf, type TaggedReply } from './standing.ts'
import { prepareForL1, sizeInL1 } from './write-back.ts'

export interface RemoteEntry {
  readonly entry: Entry
  /** User and scope tags as stored. */
  readonly tags: readonly string[]
  /** A soft invalidation made it stale before its time. */
  readonly expired: boolean
}

/**
 * The entry in a record of L2, in local instants, or `undefined` for anything that is not to be
 * believed: corrupt, foreign, of an older format or epoch, killed by a stamp, refused by the schema.
 * Each of these is a miss, counted, never an exception. `index` is its place in the reply;
 * `startedSequence` is the local sequence before L2 was asked: what was invalidated here since then
 * still kills the entry.
 */
export async function decodeRecord(
  region: Region,
  key: LocalKey,
  policy: Policy,
  record: StoredRecord,
  index: number,
  asked: TaggedReply,
  startedSequence: number,
): Promise<RemoteEntry | undefined> {
  const { core } = region
  const { remote } = core
  const storeKey = region.storeKey(key)
  const opened = await openAsync(record.bytes, { codecId: policy.codec.id, keyText: storeKey })
  if (!opened.ok) return rejectEntry(region, opened.reason)
  const { entry: fields } = opened
  if (isFromFuture(region, fields.createdAt)) return rejectEntry(region, 'future')
  const standing = await standingOf(region, storeKey, fields, asked)
  if (!remote || standing === 'dead') return undefined

  let value: unknown
  try {
    value = policy.codec.decode(fields.payload)
    if (policy.schema && !(await isValid(policy, value))) return rejectEntry(region, 'schema')
  } catch (error) {
    return rejectEntry(region, 'decode', error)
  }
  const offset = core.clock.now() - remote.storeNow()
  const createdAt = Math.round(fields.createdAt + offset)
  const freshUntil = Math.round(fields.freshUntil + offset)
  const entry = new Entry(value, createdAt, freshUntil, fields.loadMs)
  entry.bytes = sizeInL1(region, value, fields.payload.byteLength)
  entry.meta = new EntryMeta(
    packTags(userTags(region, fields.tags)),
    startedSequence,
    core.clock.now() + core.l1TtlMs,
  )
  entry.mark(ENTRY_IN_L2)
  noteVersion(region, entry, record.version, epochOf(asked.reply, index))
  prepareForL1(region, entry)
  return { entry, tags: fields.tags, expired: standing === 'expired' }
}

/** Scope tags are the region's own: an entry in L1 does not repeat them. */
function userTags(region: Region, tags: readonly string[]): readonly string[] {
  return tags.filter((tag) => !region.scopeTags.includes(tag))
}

async function isValid(policy: Policy, value: unknown): Promise<boolean> {
  const result = await policy.schema?.['~standard'].validate(value)
  return result?.issues === undefined
}
