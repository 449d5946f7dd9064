import type { Store } from '../../src/contracts/store.ts'
import type { FakeClock } from '../../src/testing/fake-clock.ts'

/** A store that notes when it last told that somebody else holds the lease of a key. */
export function watchedStore(store: Store, clock: FakeClock): Store & HeldLeases {
  const held = new Map<string, number>()
  return {
    ...store,
    heldSince: (key, instant) => (held.get(key) ?? Number.NEGATIVE_INFINITY) >= instant,
    open(context) {
      const session = store.open(context)
      const read = session.read.bind(session)
      return Object.assign(session, {
        async read(...[request]: Parameters<typeof read>) {
          const reply = await read(request)
          reply.leases.forEach((lease, i) => {
            if (lease === 'held') held.set(request.keys[i] as string, clock.now())
          })
          return reply
        },
      })
    },
  }
}

export interface HeldLeases {
  heldSince(key: string, instant: number): boolean
}
