import type { ReadReply, ReadRequest, StoredRecord } from '../contracts/store.ts'
import { HEADER_BYTES, readHeader } from '../envelope/header.ts'
import { hashOf } from '../envelope/seal.ts'
import { andThen, type MaybeLater } from '../kernel/maybe-later.ts'
import { type Entry, entryTags } from '../l1/entry.ts'
import { CLOCK_ERROR_MS } from './freshness.ts'
import type { Region } from './region.ts'
import { isFromFuture } from './reject-entry.ts'
import { standingOf, type TaggedReply } from './standing.ts'

/** A copy in L1 with what L2 called its record when it was asked: the head of that is enough. */
export interface KnownCopy {
  readonly entry: Entry
  readonly version: number
  readonly epochNumber: number
}

/** What the head of a record says about the copy. */
export interface Confirmed {
  readonly entry: Entry
  readonly tags: readonly string[]
  /** A soft invalidation made it stale before its time. */
  readonly expired: boolean
  /** In local time. */
  readonly freshUntil: number
}

/** The copy, if L2 can be asked whether it still holds just that. */
export function knownCopy(region: Region, entry: Entry | undefined): KnownCopy | undefined {
  // Without atomic writes two entries may have one version.
  if (!region.core.remote?.supports.atomic) return undefined
  const version = entry?.version
  return entry && version !== undefined
    ? { entry, version, epochNumber: entry.epochNumber }
    : undefined
}

/** What a read asks of L2 beyond keys, tags and leases. */
export function askFor(copies: ReadonlyArray<KnownCopy | undefined>): Pick<ReadRequest, 'known'> {
  if (copies.every((copy) => copy === undefined)) return {}
  return { known: { versions: copies.map((copy) => copy?.version), bytes: HEADER_BYTES } }
}

/** The tags of the copies: with their stamps in the same reply nothing has to be asked twice. */
export function tagsOfCopies(copies: ReadonlyArray<KnownCopy | undefined>): string[] {
  return copies.flatMap((copy) => (copy ? entryTags(copy.entry) : []))
}

/** The entry is the one that L2 holds as that record. */
export function noteVersion(
  region: Region,
  entry: Entry,
  version: number,
  epoch: number | undefined,
): void {
  const { remote, stamps } = region.core
  if (!remote?.supports.atomic || epoch === undefined) return
  entry.isVersion(version, stamps.epochs.of(epoch))
}

/** The epoch of the sequence that the version of a record is a number of. */
export function epochOf(reply: ReadReply, index: number): number {
  return reply.positions[index]?.epoch ?? reply.epoch
}

/**
 * Compares a copy with the head of the record it is a copy of, by the rules for whole records.
 * `unknown`: it takes the whole record to tell, of which the reply may hold the head only.
 * `undefined`: the record has another version, and is here in full.
 */
export function compareHead(
  region: Region,
  storeKey: string,
  copy: KnownCopy,
  record: StoredRecord,
  index: number,
  asked: TaggedReply,
): MaybeLater<Confirmed | 'dead' | 'unknown' | undefined> {
  if (record.version !== copy.version) return undefined
  const { core } = region
  const { entry } = copy
  const header = readHeader(record.bytes)
  const isSame = core.stamps.epochs.of(epochOf(asked.reply, index)) === copy.epochNumber
  const { remote } = core
  if (!header || !isSame || header.keyHash !== hashOf(storeKey) || !remote) return 'unknown'
  // Whether it is really of the future, or damaged, the checksum of the whole record tells.
  if (isFromFuture(region, header.createdAt)) return 'unknown'
  const tags = entryTags(entry)
  return andThen(standingOf(region, storeKey, { ...header, tags }, asked), (standing) => {
    if (standing === 'dead') return 'dead'
    if (standing === 'expired') return { entry, tags, expired: true, freshUntil: entry.freshUntil }
    // The copy was shortened here, by a soft invalidation for one: what L2 has is read in full.
    if (!isSameSpan(header, entry)) return 'unknown'
    const offset = core.clock.now() - remote.storeNow()
    return { entry, tags, expired: false, freshUntil: Math.round(header.freshUntil + offset) }
  })
}

interface Span {
  readonly createdAt: number
  readonly freshUntil: number
}

function isSameSpan(one: Span, other: Span): boolean {
  const [span, otherSpan] = [one.freshUntil - one.createdAt, other.freshUntil - other.createdAt]
  // Both never end, or end at the same time: infinities have no difference.
  return span === otherSpan || Math.abs(span - otherSpan) <= CLOCK_ERROR_MS
}
