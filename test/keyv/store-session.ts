import type { Store, StoreSession, StoreState } from '../../src/contracts/store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

/** A session with its clock, and the states it was told. */
export function openStore(store: Store): {
  session: StoreSession
  clock: FakeClock
  states: StoreState[]
} {
  const clock = new FakeClock(Date.now())
  const states: StoreState[] = []
  const session = store.open({
    clock,
    random: Math.random,
    space: 'space',
    onState: (state) => states.push(state),
  })
  return { session, clock, states }
}

export async function put(session: StoreSession, clock: FakeClock, key: string, text: string) {
  return session.write({
    key,
    bytes: Buffer.from(text),
    freshUntil: clock.wall() + 60_000,
    keepUntil: clock.wall() + 60_000,
  })
}

export async function textOf(session: StoreSession, key: string): Promise<string | undefined> {
  const { records } = await session.read({ keys: [key], tags: [] })
  return records[0] && Buffer.from(records[0].bytes).toString()
}
