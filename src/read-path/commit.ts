import type { Fence, WriteReply, WriteRequest } from '../contracts/store.ts'
import { sealAsync } from '../envelope/seal.ts'
import { ENTRY_IN_L2, type Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import type { Flight } from './flight.ts'
import { keepExpired } from './keep-expired.ts'
import { noteVersion } from './known-copy.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import { report } from './report.ts'

/**
 * The result of a load goes to L2, with nobody waiting, if L2 finds that nothing has happened to the
 * key or its tags since the load began.
 * @param onStored called when L2 has it
 */
export function commit(
  region: Region,
  flight: Flight,
  entry: Entry,
  tags: readonly string[],
  onStored: () => void,
): void {
  const { core } = region
  const { policy } = flight
  const { fence, isNeeded, position } = flight.lease
  const { remote } = core
  if (!remote || !policy.useL2 || !fence) return
  // The store has leases, but the load ran without one: it must not store.
  if ((isNeeded || remote.supports.leases) && !fence.token) return
  const payload = payloadOf(region, entry, policy)
  if (!payload) {
    flight.giveLeaseBack({ kind: 'unstored' })
    return
  }
  const all = [...region.scopeTags, ...tags]
  const work = async (): Promise<void> => {
    const { epoch, sequence } = fence
    const request = await writeRequest(region, flight.key, entry, policy, {
      epoch,
      sequence,
      tags,
      payload,
    })
    if (!request) return flight.giveLeaseBack({ kind: 'unstored' })
    if (flight.outdated) return flight.giveLeaseBack({ kind: 'unused' })
    // From now on L2 may hold it: what is missing there later was invalidated.
    entry.mark(ENTRY_IN_L2)
    const reply = await remote.commit({ ...request, fence: { ...fence, tags: all } })
    if (reply?.stored) {
      noteVersion(region, entry, reply.version, position?.epoch)
      onStored()
      return
    }
    await refused(region, flight, entry, { ...fence, tags: all }, reply)
  }
  core.background.track(work())
}

async function refused(
  region: Region,
  flight: Flight,
  entry: Entry,
  fence: Pick<Fence, 'epoch' | 'sequence' | 'tags'>,
  reply: Extract<WriteReply, { stored: false }> | undefined,
): Promise<void> {
  const isTooLarge = reply?.reason === 'too-large'
  flight.giveLeaseBack({ kind: isTooLarge ? 'unstored' : 'unused' })
  if (isTooLarge) entry.unmark(ENTRY_IN_L2)
  // Something was invalidated since the load began, of which this process may not have heard yet.
  else if (reply && region.lru.peek(flight.key) === entry) {
    region.lru.delete(flight.key)
    if (reply.reason === 'tag-changed') await keepExpired(region, flight, entry, fence)
  }
}

/**
 * The bytes of a value, taken at once: its owner may change it later. `undefined` when the codec
 * cannot carry it; the value then stays in L1.
 */
export function payloadOf(region: Region, entry: Entry, policy: Policy): Uint8Array | undefined {
  try {
    return policy.codec.encode(entry.value)
  } catch (error) {
    region.core.rejectedEntries++
    report(region.core, 'unserializable', error)
    return undefined
  }
}

interface Written {
  readonly payload: Uint8Array
  readonly tags: readonly string[]
  /** Where the stamps of the store stood before the origin was called. */
  readonly epoch: number
  readonly sequence: number
}

/** The write of an entry to L2; undefined when its tags or its size cannot be carried there. */
export async function writeRequest(
  region: Region,
  key: LocalKey,
  entry: Entry,
  policy: Policy,
  { payload, tags, epoch, sequence }: Written,
): Promise<WriteRequest | undefined> {
  const { core } = region
  const { remote } = core
  if (!remote) return undefined
  const storeKey = region.storeKey(key)
  const offset = remote.storeNow() - core.clock.now()
  const freshUntil = entry.freshUntil + offset
  const keepUntil = freshUntil + policy.graceMs
  try {
    const bytes = await sealAsync(
      {
        codecId: policy.codec.id,
        keyText: storeKey,
        epoch,
        stampSequence: sequence,
        createdAt: entry.createdAt + offset,
        freshUntil,
        staleUntil: keepUntil,
        loadMs: entry.loadMs,
        tags,
        payload,
      },
      core.compression,
    )
    // A store that forgets stamps needs one of each, or a plain read would find the entry outdated.
    return { key: storeKey, bytes, freshUntil, keepUntil, tags: [...region.scopeTags, ...tags] }
  } catch (error) {
    core.rejectedEntries++
    report(core, 'unserializable', error)
    return undefined
  }
}
