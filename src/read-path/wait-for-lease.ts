import { beginAt, consider } from './consider.ts'
import { failLoad } from './fail-load.ts'
import { FailureElsewhere } from './failure.ts'
import type { Flight } from './flight.ts'
import { FruitlessWatch } from './fruitless-watch.ts'
import { type Look, lookUp } from './look-up.ts'
import type { Held } from './lookup-remote.ts'
import type { Region } from './region.ts'

const FIRST_POLL_MS = 25
const LAST_POLL_MS = 500

/**
 * Waits while another process loads the key. Messages may be lost: what became of the loads of others
 * is read from what L2 counts.
 * @returns whether the origin is ours to call
 */
export async function waitForLease(region: Region, held: Held): Promise<boolean> {
  const { clock, random, remote } = region.core
  if (!remote) return true
  const { flight } = held
  const watch = new FruitlessWatch(held.fruitless)
  if (await wasOurs(region, flight)) flight.wake()
  for (let poll = FIRST_POLL_MS; !flight.over; poll = Math.min(poll * 2, LAST_POLL_MS)) {
    await flight.nextLook(clock.now() + poll * (0.5 + 0.5 * random()))
    if (flight.over) return false
    const look = await lookUp(region, [flight])
    const verdict = look ? await lookAgain(region, flight, look, watch) : 'missing'
    if (verdict !== 'held') return verdict === 'missing'
  }
  return false
}

async function lookAgain(
  region: Region,
  flight: Flight,
  look: Look,
  watch: FruitlessWatch,
): Promise<'missing' | 'held' | 'answered'> {
  const { verdict, fruitless } = await consider(region, flight, look, 0)
  const ended = verdict !== 'answered' && fruitless && watch.look(fruitless.count)
  if (!ended) return verdict
  if (ended !== 'unstored') {
    failLoad(region, flight, new FailureElsewhere(ended))
    return 'answered'
  }
  // Others wait in vain for the value, too: nobody queues for a lease that is of no use.
  flight.giveLeaseBack({ kind: 'unused' })
  beginAt(region, flight, look, 0, undefined)
  return 'missing'
}

/** The holder may be this process: an earlier load has ended, and L2 has not heard of it. */
async function wasOurs(region: Region, flight: Flight): Promise<boolean> {
  const { clock, remote } = region.core
  const lease = region.givenUp.take(flight.storeKey, clock.now())
  if (!lease || !remote) return false
  await remote.release(flight.storeKey, lease.token, lease.end)
  return true
}
