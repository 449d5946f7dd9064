import type { StoredRecord } from '../contracts/store.ts'
import { type OpenedEntry, openAsync } from '../envelope/open.ts'
import { andThen, type MaybeLater } from '../kernel/maybe-later.ts'
import { ENTRY_IN_L2, Entry, EntryMeta, packTags } from '../l1/entry.ts'
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
export function decodeRecord(
  region: Region,
  storeKey: string,
  policy: Policy,
  record: StoredRecord,
  index: number,
  asked: TaggedReply,
  startedSequence: number,
): MaybeLater<RemoteEntry | undefined> {
  const opened = openAsync(record.bytes, { codecId: policy.codec.id, keyText: storeKey })
  return andThen(opened, (result) => {
    if (!result.ok) return rejectEntry(region, result.reason)
    const { entry: fields } = result
    const now = region.core.clock.now()
    if (isFromFuture(region, fields.createdAt, now)) return rejectEntry(region, 'future')
    return andThen(standingOf(region, storeKey, fields, asked), (standing) => {
      if (standing === 'dead') return undefined
      return andThen(decodedValue(region, policy, fields), (decoded) => {
        if (!decoded) return undefined
        const entry = localEntry(region, decoded.value, fields, now, startedSequence)
        noteVersion(region, entry, record.version, epochOf(asked.reply, index))
        prepareForL1(region, entry)
        return { entry, tags: fields.tags, expired: standing === 'expired' }
      })
    })
  })
}

function decodedValue(
  region: Region,
  policy: Policy,
  { payload }: OpenedEntry,
): MaybeLater<{ readonly value: unknown } | undefined> {
  let value: unknown
  try {
    value = policy.codec.decode(payload)
    if (policy.mark) value = policy.mark(value)
  } catch (error) {
    return rejectEntry(region, 'decode', error)
  }
  return policy.schema ? checked(region, policy, value) : { value }
}

async function checked(
  region: Region,
  policy: Policy,
  value: unknown,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    const result = await policy.schema?.['~standard'].validate(value)
    return result?.issues === undefined ? { value } : rejectEntry(region, 'schema')
  } catch (error) {
    return rejectEntry(region, 'decode', error)
  }
}

function localEntry(
  region: Region,
  value: unknown,
  fields: OpenedEntry,
  now: number,
  startedSequence: number,
): Entry {
  const { l1TtlMs, remote } = region.core
  const offset = now - (remote?.storeNow(now) ?? now)
  const createdAt = Math.round(fields.createdAt + offset)
  const freshUntil = Math.round(fields.freshUntil + offset)
  const entry = new Entry(value, createdAt, freshUntil, fields.loadMs)
  entry.bytes = sizeInL1(region, value, fields.payload.byteLength)
  const tags = packTags(userTags(region, fields.tags))
  entry.meta = new EntryMeta(tags, startedSequence, now + l1TtlMs)
  entry.mark(ENTRY_IN_L2)
  return entry
}

/** Scope tags are the region's own: an entry in L1 does not repeat them. */
function userTags(region: Region, tags: readonly string[]): readonly string[] {
  return tags.filter((tag) => !region.scopeTags.includes(tag))
}
