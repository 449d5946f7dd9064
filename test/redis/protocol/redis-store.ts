import { RedisSession } from '../../../src/adapters/redis/redis-session.ts'
import type { SessionSettings } from '../../../src/adapters/redis/session-settings.ts'
import type { OpenTransport } from '../../../src/adapters/redis/transport.ts'
import type { Store, StoreContext, StoreState } from '../../../src/contracts/store.ts'
import { realClock, realRandom } from '../../../src/kernel/real-clock.ts'
import { type Told, watched } from './watched.ts'

export const SETTINGS: SessionSettings = {
  prefix: 'rc',
  timeoutMs: 1000,
  coherence: 'bus',
  maxValueBytes: 8 * 2 ** 20,
}

export function storeOver(
  openTransport: OpenTransport,
  settings: SessionSettings = SETTINGS,
  supports: Store['supports'] = { leases: true, atomic: true },
): Store {
  return {
    source: 'standalone',
    coherence: settings.coherence,
    supports,
    timeoutMs: settings.timeoutMs,
    open: (context) => new RedisSession(context, openTransport, settings),
  }
}

/** A session in real time, and what it told. */
export async function openSession(
  openTransport: OpenTransport,
  space: string,
  settings: Partial<SessionSettings> = {},
): Promise<{ session: RedisSession } & Told> {
  const told = watched()
  const context: StoreContext = { clock: realClock, random: realRandom, space, ...told.listeners }
  const session = new RedisSession(context, openTransport, { ...SETTINGS, ...settings })
  await told.reached((state: StoreState) => state.state === 'ready')
  return { session, ...told }
}
