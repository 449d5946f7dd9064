import { describe, expect, it } from 'vitest'
import { type BusMessage, memory, type Store, type StoreState } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, versions } from '../read-path/fixture.ts'

endWorldsAfterEach()

/** A store that cannot be reached at first, and is told nothing until it can. */
function lateStore(store: Store) {
  let isThere = false
  const waiting: Array<() => void> = []
  const late: Store = {
    source: store.source,
    coherence: store.coherence,
    supports: store.supports,
    timeoutMs: store.timeoutMs,
    open(context) {
      const session = store.open({
        ...context,
        onState: () => {},
        onMessage: (message: BusMessage) => isThere && context.onMessage?.(message),
      })
      const tell = (state: StoreState['state']): void =>
        context.onState({ state, source: store.source })
      tell('connecting')
      waiting.push(() => tell('ready'))
      return {
        ...session,
        read: async (request) => {
          if (!isThere) throw new Error('not connected yet')
          return session.read(request)
        },
        write: (request) => session.write(request),
        delete: (keys) => session.delete(keys),
        stamp: (tags, mode) => session.stamp(tags, mode),
        renew: (key, token, ms) => session.renew(key, token, ms),
        release: (key, token, end) => session.release(key, token, end),
        probe: async () => {
          if (!isThere) throw new Error('not connected yet')
        },
        close: () => session.close(),
      }
    },
  }
  const arrive = (): void => {
    isThere = true
    for (const tell of waiting) tell()
  }
  return { late, arrive }
}

describe('a cache whose L2 is there later than its first reads', () => {
  it('compares what it has loaded until then with L2 before it serves it again', async () => {
    const world = aWorld()
    const shared = memory()
    const { late, arrive } = lateStore(shared)
    const origin = versions()
    const early = world.cache({ l2: late }).cached(origin.load, { name: 'fn' })
    const other = world.cache({ l2: shared }).cached(origin.load, { name: 'fn' })

    const before = await early('k')
    await other.invalidate('k')
    const after = await other('k')
    expect(after).not.toEqual(before)
    // All messages have gone by.
    await world.clock.advance(10)
    arrive()
    await world.clock.advance(10)
    expect(await early('k')).toEqual(after)
  })

  it('reports no gap when it has read nothing', async () => {
    const world = aWorld()
    const { late, arrive } = lateStore(memory())
    const cache = world.cache({ l2: late })
    let gaps = 0
    cache.on('gap', () => gaps++)
    arrive()
    await world.clock.advance(10)
    expect(gaps).toBe(0)
  })
})
