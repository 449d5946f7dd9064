import type { Fence } from '../contracts/store.ts'
import type { Entry } from '../l1/entry.ts'
import type { Flight } from './flight.ts'
import { expire } from './freshness.ts'
import type { Region } from './region.ts'

/**
 * L2 has refused what was loaded, because of a tag, and L1 has dropped it. A soft invalidation leaves
 * it usable: it is put back as a stale value, or nothing would be left should L2 and the origin fail
 * now. The invalidation may be this process's own, made before the load and told to L2 during it.
 */
export async function keepExpired(
  region: Region,
  flight: Flight,
  entry: Entry,
  { epoch, sequence, tags }: Pick<Fence, 'epoch' | 'sequence' | 'tags'>,
): Promise<void> {
  const { core, local, lru, writes } = region
  const { key, policy } = flight
  if (policy.graceMs === 0) return
  const reply = await core.remote?.read({ keys: [], tags })
  if (reply?.epoch !== epoch || reply.stamps.some(({ hard }) => hard > sequence)) return
  // Something was written or removed meanwhile: that stands.
  if (region.writes !== writes || lru.peek(key)) return
  expire(entry, core.clock.now())
  local.put(key, entry)
}
