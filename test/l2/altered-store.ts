import type { Store, StoreSession } from '../../src/contracts/store.ts'

/** A store some of whose operations are the test's own. */
export function altered(
  store: Store,
  alter: (session: StoreSession) => Partial<StoreSession>,
): Store {
  const { source, coherence, supports, timeoutMs } = store
  return {
    source,
    coherence,
    supports,
    timeoutMs,
    open(context) {
      const session = store.open(context)
      return {
        read: (request) => session.read(request),
        write: (request) => session.write(request),
        delete: (keys) => session.delete(keys),
        stamp: (tags, mode) => session.stamp(tags, mode),
        renew: (key, token, ms) => session.renew(key, token, ms),
        release: (key, token, end) => session.release(key, token, end),
        probe: () => session.probe(),
        close: () => session.close(),
        ...alter(session),
      }
    },
  }
}
