import type { ReadReply, ReadRequest, Stamp, StampMode } from '../contracts/store.ts'
import type { Journal } from './journal.ts'

/**
 * What a reply to this request would be if L2 had heard of everything. It is asked for when the
 * request is sent: a reply is of that time, even if L2 has heard of it all by the time it is decoded.
 */
export function asIfTold(
  journal: Journal,
  { keys, tags }: ReadRequest,
): (reply: ReadReply) => ReadReply {
  if (journal.isEmpty) return (reply) => reply
  const isDoubted = keys.map((key) => journal.doubts([key], []) !== undefined)
  const modes = tags.map((tag) => journal.doubts([], [tag]))
  return (reply) => ({
    ...reply,
    records: reply.records.map((record, at) => (isDoubted[at] ? undefined : record)),
    stamps: reply.stamps.map((stamp, at) => stampedNow(stamp, modes[at])),
  })
}

function stampedNow(stamp: Stamp, mode: StampMode | undefined): Stamp {
  return mode === undefined ? stamp : { ...stamp, [mode]: Number.POSITIVE_INFINITY }
}
