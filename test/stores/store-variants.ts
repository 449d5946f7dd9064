import type { Store, StoreContext, StoreSession } from '../../src/contracts/store.ts'

// Stores that stay within the contract but differ from memory() in what the suite must put up with.

/** A store that can do the least: no leases, no bus, like a key-value store of somebody else. */
export function withoutLeasesAndBus(inner: Store): Store {
  return {
    source: inner.source,
    coherence: 'ttl-only',
    supports: { leases: false, atomic: false },
    timeoutMs: inner.timeoutMs,
    open({ onMessage, ...context }) {
      const session = inner.open(context)
      return {
        ...bound(session),
        read: ({ keys, tags }) => session.read({ keys, tags }),
        async write(request) {
          const { key, fence } = request
          if (!fence) return session.write(request)
          // The memory store commits under a lease only: take it for the moment.
          const lease = { token: 'own', ms: 1000, when: 'always' } as const
          await session.read({ keys: [key], tags: [], lease })
          return session.write({ ...request, fence: { ...fence, token: 'own' } })
        },
        renew: () => session.probe().then(() => false),
        release: () => session.probe(),
      }
    },
  }
}

/** A store behind a wire: ready later, every reply and message late, in order; bytes are Buffers. */
export function remote(inner: Store): Store {
  return {
    source: inner.source,
    coherence: inner.coherence,
    supports: inner.supports,
    timeoutMs: inner.timeoutMs,
    open(context) {
      return behindWire((forwarded) => inner.open(forwarded), context)
    },
  }
}

function behindWire(open: (context: StoreContext) => StoreSession, context: StoreContext) {
  context.onState({ state: 'connecting', source: 'none' })
  const session = open({
    ...context,
    onState: (state) => void wire().then(() => context.onState(state)),
    onMessage: (message) => void wire().then(() => context.onMessage?.(message)),
  })
  const far = bound(session)
  return Object.fromEntries(
    Object.entries(far).map(([name, operation]) => [
      name,
      async (...args: never[]) => {
        await wire()
        const reply = await (operation as (...args: never[]) => Promise<unknown>)(...args)
        await wire()
        return withBuffers(reply)
      },
    ]),
  ) as unknown as StoreSession
}

function withBuffers(reply: unknown): unknown {
  if (typeof reply !== 'object' || reply === null || !('records' in reply)) return reply
  const records = (reply.records as ({ bytes: Uint8Array; version: number } | undefined)[]).map(
    (record) => record && { ...record, bytes: Buffer.from(record.bytes) },
  )
  return { ...reply, records }
}

function bound(session: StoreSession): StoreSession {
  return {
    read: (request) => session.read(request),
    write: (request) => session.write(request),
    delete: (keys) => session.delete(keys),
    stamp: (tags, mode) => session.stamp(tags, mode),
    renew: (key, token, ms) => session.renew(key, token, ms),
    release: (key, token, end) => session.release(key, token, end),
    probe: () => session.probe(),
    close: () => session.close(),
  }
}

async function wire(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
