import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { loader } from '../../src/batching/loader.ts'
import type { LoaderCache, LoaderOptions } from '../../src/batching/loader-options.ts'
import { requestScope } from '../../src/batching/request-scope.ts'
import { GUARD_PARTS } from '../../src/contracts/load-guard.ts'
import { asRunner } from '../../src/contracts/runner.ts'
import { createCache, memory, type Store } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

/** L2 in memory that counts the reads that reach it, and can be made to wait. */
function countingStore() {
  const inner = memory()
  const reads: string[][] = []
  let gate: Promise<void> | undefined
  const store: Store = {
    ...inner,
    open(context) {
      const session = inner.open(context)
      const read = session.read.bind(session)
      return Object.assign(session, {
        async read(request: Parameters<typeof read>[0]) {
          reads.push([...request.keys])
          const waiting = gate
          await waiting
          return read(request)
        },
      })
    },
  }
  return {
    store,
    reads,
    /** Reads that begin from now on wait for the function that is returned. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return () => {
        gate = undefined
        resolve()
      }
    },
  }
}

function setUp(
  ofCache: Partial<LoaderCache<number>> = {},
  options: Omit<LoaderOptions<number>, 'cache'> = {},
) {
  const clock = new FakeClock()
  const l2 = countingStore()
  const cache = createCache({
    name: 'app',
    clock,
    random: () => 0.5,
    refreshAhead: false,
    ttl: '1m',
    l1: false,
    l2: l2.store,
  })
  const batches: number[][] = []
  const missing = new Set<number>()
  const users = loader(
    async (ids: readonly number[]) => {
      batches.push([...ids])
      if (ids.includes(666)) throw new Error('down')
      return ids.filter((id) => !missing.has(id)).map((id) => ({ id, name: `user ${id}` }))
    },
    {
      clock,
      keyOf: (row) => row.id,
      ...options,
      cache: { store: cache, name: 'users', ...ofCache },
    },
  )
  return { users, batches, cache, clock, missing, ...l2 }
}

describe('a loader over a cache', () => {
  it('reads L2 once, and calls the batch function once with what it does not have', async () => {
    const { users, batches, reads, cache } = setUp()
    await users.loadMany([1, 2])
    await nextTurn()
    reads.length = 0
    const found = await requestScope(() => users.loadMany([1, 2, 3, 4]))
    expect(found.map((user) => (user as { name: string }).name)).toEqual([
      'user 1',
      'user 2',
      'user 3',
      'user 4',
    ])
    expect(reads.map((keys) => keys.length)).toEqual([4])
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ])
    await cache.close()
  })

  it('remembers for the request in front of it, unless told not to', async () => {
    for (const memo of [true, false]) {
      const { users, reads, cache } = setUp({ memo })
      await requestScope(async () => {
        await users.load(1)
        await nextTurn()
        reads.length = 0
        await users.load(1)
      })
      expect(reads.length).toBe(memo ? 0 : 1)
      await cache.close()
    }
  })

  it('sends the misses of keys that came while L2 was asked with the others', async () => {
    const { users, batches, reads, cache, hold } = setUp()
    const release = hold()
    const first = users.load(1)
    await nextTurn()
    const second = users.load(2)
    await nextTurn()
    expect(reads.map((keys) => keys.length)).toEqual([1, 1])
    release()
    await Promise.all([first, second])
    expect(batches).toEqual([[1, 2]])
    await cache.close()
  })

  it('does not wait longer than a question takes for one that hangs', async () => {
    const { users, batches, cache, clock, hold } = setUp()
    const releaseFirst = hold()
    const first = users.load(1)
    await nextTurn()
    const releaseSecond = hold()
    const second = users.load(2)
    await nextTurn()
    releaseFirst()
    await clock.advance('5ms')
    expect(await first).toMatchObject({ id: 1 })
    expect(batches).toEqual([[1]])
    releaseSecond()
    await second
    expect(batches).toEqual([[1], [2]])
    await cache.close()
  })

  it('keeps to maxBatch where misses of several questions go together', async () => {
    const { users, batches, cache, hold } = setUp({}, { maxBatch: 2 })
    const release = hold()
    const loads = users.loadMany([1, 2, 3])
    await nextTurn()
    release()
    await loads
    expect(batches).toEqual([[1, 2], [3]])
    await cache.close()
  })

  it('fails the keys of one call only, where maxBatch makes several of them', async () => {
    const { users, batches, cache, hold } = setUp({}, { maxBatch: 2 })
    const release = hold()
    const loads = users.loadMany([1, 2, 666])
    await nextTurn()
    release()
    expect(await loads).toEqual([
      { id: 1, name: 'user 1' },
      { id: 2, name: 'user 2' },
      new Error('down'),
    ])
    expect(batches).toEqual([[1, 2], [666]])
    await cache.close()
  })

  it('stores that a key is missing, for its own time', async () => {
    const { users, batches, cache, clock, missing } = setUp({ negativeTtl: '10s' })
    missing.add(2)
    expect(await users.loadMany([1, 2])).toMatchObject([{ id: 1 }, null])
    missing.clear()
    await clock.advance('1s')
    expect(await users.load(2)).toBeNull()
    await clock.advance('10s')
    expect(await users.loadMany([1, 2])).toMatchObject([{ id: 1 }, { id: 2 }])
    expect(batches).toEqual([[1, 2], [2]])
    await cache.close()
  })

  it('forgets a key here and in the cache by clear, by tag, and all by clearAll', async () => {
    const { users, batches, cache } = setUp({ tags: (id) => [`user:${id}`] })
    const loadBoth = () => requestScope(() => users.loadMany([1, 2]))
    await loadBoth()
    await loadBoth()
    users.clear(1)
    await loadBoth()
    await cache.invalidateTag('user:2')
    await loadBoth()
    users.clearAll()
    await loadBoth()
    expect(batches).toEqual([[1, 2], [1], [2], [1, 2]])
    await cache.close()
  })

  it('keeps the failure of a batch nowhere', async () => {
    const { users, batches, cache } = setUp()
    await requestScope(async () => {
      expect(await users.loadMany([1, 666])).toEqual([new Error('down'), new Error('down')])
      expect(await users.load(1)).toMatchObject({ id: 1 })
    })
    expect(batches).toEqual([[1, 666], [1]])
    await cache.close()
  })

  it('remembers the error of a key for the request, and does not store it', async () => {
    const { users, batches, cache, missing } = setUp({}, { onMissing: 'error' } as object)
    missing.add(1)
    const notFound = { code: 'ERR_NOT_FOUND' }
    await requestScope(async () => {
      await expect(users.load(1)).rejects.toMatchObject(notFound)
      await expect(users.load(1)).rejects.toMatchObject(notFound)
    })
    await requestScope(() => expect(users.load(1)).rejects.toMatchObject(notFound))
    expect(batches).toEqual([[1], [1]])
    await cache.close()
  })

  it('stores nothing that comes from the fallback of its guard', async () => {
    const runner = asRunner(async (task) => task(new AbortController().signal), {})
    const fallback = () => new Map([[666, { id: 666, name: 'nobody' }]])
    const guard = asRunner(async (task, options) => runner(task, options), {
      [GUARD_PARTS]: { runner, fallback },
    })
    const { users, batches, cache } = setUp({}, { guard })
    expect(await users.load(666)).toMatchObject({ name: 'nobody' })
    await nextTurn()
    expect(await users.load(666)).toMatchObject({ name: 'nobody' })
    expect(batches).toEqual([[666], [666]])
    await cache.close()
  })

  it('stays right with L1 alone', async () => {
    const cache = createCache({ ttl: '1m' })
    const calls: number[][] = []
    const some = loader(
      async (ids: readonly number[]) => {
        calls.push([...ids])
        return ids
      },
      { cache: { store: cache } },
    )
    await some.loadMany([1, 2])
    expect(await some.loadMany([2, 3])).toEqual([2, 3])
    expect(calls).toEqual([[1, 2], [3]])
    await cache.close()
  })
})
