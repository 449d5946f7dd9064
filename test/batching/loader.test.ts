import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { loader } from '../../src/batching/loader.ts'
import { requestScope } from '../../src/batching/request-scope.ts'
import { users as make } from './users.ts'

describe('a batch', () => {
  it('takes the loads of one turn, those within promises too, each key once', async () => {
    const { users, batches } = make()
    const found = await Promise.all([
      users.load(2),
      Promise.resolve().then(() => users.load(1)),
      users.load(2),
    ])
    expect(found).toEqual(['user 2', 'user 1', 'user 2'])
    expect(batches).toEqual([[2, 1]])
    expect(users.stats()).toMatchObject({ loads: 3, joined: 1, batches: 1, keys: 2, errors: 0 })
  })

  it('makes two of nested async levels', async () => {
    const { users, batches } = make()
    const orders = loader(async (ids: readonly number[]) => {
      batches.push([...ids])
      return ids.map((id) => ({ id, user: id % 10 }))
    })
    await requestScope(() =>
      Promise.all(
        Array.from({ length: 100 }, async (_, id) => {
          const order = await orders.load(id)
          await null
          return users.load(order.user)
        }),
      ),
    )
    expect(batches.map((keys) => keys.length)).toEqual([100, 10])
  })

  it('holds maxBatch keys', async () => {
    const { users, batches } = make({ maxBatch: 2 })
    await users.loadMany([1, 2, 3, 4, 5])
    expect(batches).toEqual([[1, 2], [3, 4], [5]])
  })

  it('holds maxWeight, and a heavier key alone', async () => {
    const { users, batches } = make({ maxWeight: { of: (id) => id, max: 10 } })
    await users.loadMany([4, 5, 2, 30, 1, 9])
    expect(batches).toEqual([[4, 5], [2], [30], [1, 9]])
  })

  it('gathers for a time', async () => {
    const { users, batches, clock } = make({ window: '10ms' })
    const loads = [users.load(1)]
    await clock.advance(6)
    loads.push(users.load(2))
    await clock.advance(3)
    expect(batches).toEqual([])
    await clock.advance(1)
    await Promise.all(loads)
    expect(batches).toEqual([[1, 2]])
    expect(clock.pending).toBe(0)
  })

  it('does not wait for its time when it is full', async () => {
    const { users, batches, clock } = make({ window: '10ms', maxBatch: 2 })
    await users.loadMany([1, 2])
    expect(batches).toEqual([[1, 2]])
    expect(clock.pending).toBe(0)
  })

  it('gathers until no key has come for a time, at most for another', async () => {
    const { users, batches, clock } = make({ window: { duration: 10, idle: 3 } })
    const loads = [users.load(1)]
    await clock.advance(2)
    loads.push(users.load(2))
    await clock.advance(2)
    expect(batches).toEqual([])
    await clock.advance(1)
    expect(batches).toEqual([[1, 2]])
    for (let id = 3; id < 10; id++) {
      loads.push(users.load(id))
      await clock.advance(2)
    }
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5, 6, 7],
    ])
    await clock.advance(10)
    await Promise.all(loads)
  })

  it('waits for its turn with concurrency, and takes keys meanwhile', async () => {
    const open: Array<() => void> = []
    const batches: number[][] = []
    const slow = loader(
      async (ids: readonly number[]) => {
        batches.push([...ids])
        await new Promise<void>((resolve) => void open.push(resolve))
        return ids
      },
      { concurrency: 1 },
    )
    const first = slow.load(1)
    await nextTurn()
    const second = slow.load(2)
    await nextTurn()
    const third = slow.load(3)
    await nextTurn()
    expect(slow.stats()).toMatchObject({ inFlight: 1, waiting: 1 })
    expect(batches).toEqual([[1]])
    open[0]?.()
    await first
    await nextTurn()
    expect(batches).toEqual([[1], [2, 3]])
    open[1]?.()
    expect(await Promise.all([second, third])).toEqual([2, 3])
    expect(slow.stats()).toMatchObject({ inFlight: 0, waiting: 0 })
  })

  it('goes under any limiter, and under the guard', async () => {
    let running = 0
    const limiter = async <T>(task: () => PromiseLike<T> | T): Promise<T> => {
      running++
      return task()
    }
    const { users } = make({ guard: limiter })
    expect(await users.loadMany([1, 2])).toEqual(['user 1', 'user 2'])
    expect(running).toBe(1)
  })
})

describe('a request scope', () => {
  it('remembers for itself and nobody else', async () => {
    const { users, batches } = make()
    await requestScope(async () => {
      await users.load(1)
      await users.load(1)
      await requestScope(() => users.load(1))
    })
    await requestScope(() => users.load(1))
    await users.load(1)
    await users.load(1)
    expect(batches).toEqual([[1], [1], [1], [1], [1]])
    expect(users.stats()).toMatchObject({ loads: 6, hits: 1 })
  })

  it('keeps its loads apart from those of others', async () => {
    const { users, batches } = make()
    await Promise.all([1, 2].map((id) => requestScope(() => users.load(id))))
    expect(batches).toEqual([[1], [2]])
  })

  it('shares a query with 50 others, and no memo, with batch: process', async () => {
    const { users, batches } = make({ batch: 'process' })
    const found = await Promise.all(
      Array.from({ length: 50 }, (_, request) => requestScope(() => users.load(request % 10))),
    )
    expect(found[13]).toBe('user 3')
    expect(batches).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
    await Promise.all(
      [0, 1].map(() =>
        requestScope(async () => {
          users.prime(1, 'of this request')
          expect(await users.load(1)).toBe('of this request')
          expect(await users.load(2)).toBe('user 2')
          expect(await users.load(2)).toBe('user 2')
        }),
      ),
    )
    expect(batches.slice(1)).toEqual([[2]])
    expect(await requestScope(() => users.load(1))).toBe('user 1')
  })

  it('has its batches in its own async context, and loads of the batch function in itself', async () => {
    const tenant = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const { users, batches } = make()
    const orders = loader(async (ids: readonly number[]) => {
      seen.push(tenant.getStore())
      await users.loadMany(ids)
      return ids
    })
    await tenant.run('a', () =>
      requestScope(async () => {
        await tenant.run('of the first caller', () => orders.load(1))
        await users.load(1)
      }),
    )
    await tenant.run('of the first caller', () => orders.load(2))
    expect(seen).toEqual(['a', undefined])
    expect(batches).toEqual([[1], [2]])
  })

  it('gives what its function returns or throws', () => {
    expect(requestScope(() => 5)).toBe(5)
    expect(() =>
      requestScope(() => {
        throw new Error('no')
      }),
    ).toThrow('no')
  })
})

describe('the memo of a request', () => {
  const inScope = <T>(work: (made: ReturnType<typeof make>) => Promise<T>) =>
    requestScope(() => work(make()))

  it('forgets by clear and clearAll', () =>
    inScope(async ({ users, batches }) => {
      await users.loadMany([1, 2])
      await users.clear(1).loadMany([1, 2])
      await users.clearAll().loadMany([1, 2])
      expect(batches).toEqual([[1, 2], [1], [1, 2]])
    }))

  it('takes the first value that it is primed with', () =>
    inScope(async ({ users, batches }) => {
      users.prime(1, 'a').prime(1, 'b').prime(2, new Error('gone'))
      await nextTurn()
      expect(await users.load(1)).toBe('a')
      await expect(users.load(2)).rejects.toThrow('gone')
      expect(await users.clear(1).prime(1, 'c').load(1)).toBe('c')
      expect(batches).toEqual([])
    }))

  it('does nothing outside of a scope', async () => {
    const { users, batches } = make()
    expect(await users.prime(1, 'a').clear(1).clearAll().load(1)).toBe('user 1')
    expect(batches).toEqual([[1]])
  })

  it('can be left out: keys of one batch are the same all the same', () =>
    requestScope(async () => {
      const { users, batches } = make({ cache: false })
      await users.loadMany([1, 1])
      await users.load(1)
      expect(batches).toEqual([[1], [1]])
    }))

  it('tells objects apart by key', () =>
    requestScope(async () => {
      const batches: unknown[] = []
      const rows = loader(
        async (keys: readonly { tenant: string; id: number }[]) => {
          batches.push([...keys])
          return keys.map(({ id }) => id)
        },
        { key: ({ tenant, id }) => `${tenant}:${id}` },
      )
      const a = { tenant: 'a', id: 1 }
      await rows.loadMany([a, { ...a }, { tenant: 'b', id: 1 }])
      await rows.load({ ...a })
      expect(batches).toEqual([[a, { tenant: 'b', id: 1 }]])
    }))

  it('answers at once, or together with the batch that gathers', async () => {
    for (const [hits, order] of [
      ['immediate', ['known', 'new']],
      ['batched', ['batch', 'new', 'known']],
    ] as const) {
      await requestScope(async () => {
        const log: string[] = []
        const some = loader(
          async (keys: readonly string[]) => {
            await nextTurn()
            if (keys.includes('new') && hits === 'batched') log.push('batch')
            return keys
          },
          { hits },
        )
        await some.load('known')
        await Promise.all(
          ['new', 'known'].map(async (key) => {
            await some.load(key)
            log.push(key)
          }),
        )
        expect(log).toEqual(order)
      })
    }
  })

  it('keeps the error of a key, and not that of a whole batch', () =>
    requestScope(async () => {
      let calls = 0
      const some = loader(async (keys: readonly string[]) => {
        calls++
        if (keys.includes('bad batch')) throw new Error('batch')
        return keys.map((key) => (key === 'bad' ? new Error('own') : key))
      })
      for (const key of ['bad', 'bad', 'bad batch', 'bad batch']) {
        await expect(some.load(key)).rejects.toThrow(key === 'bad' ? 'own' : 'batch')
      }
      expect(calls).toBe(3)
    }))
})

describe('events', () => {
  it('tell of a batch: its size, its time, its errors', async () => {
    const { users, clock } = make({ window: '5ms' })
    const events: unknown[] = []
    const stop = users.on('batch', (event) => events.push(event))
    const loads = users.loadMany([1, 2])
    await clock.advance(5)
    await loads
    stop()
    const others = users.loadMany([3])
    await clock.advance(5)
    await others
    expect(events).toEqual([{ loader: 'users', size: 2, durationMs: 0, errors: 0 }])
  })
})
