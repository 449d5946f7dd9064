import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import Default, { DataLoader } from '../../src/dataloader.ts'

function identity<K>(options?: DataLoader.Options<K, K, unknown>) {
  const batches: K[][] = []
  const loader = new DataLoader<K, K, unknown>(async (keys) => {
    batches.push([...keys])
    return keys
  }, options)
  return { loader, batches }
}

describe('loads', () => {
  it('of one turn go together, in the order they were asked for', async () => {
    const { loader, batches } = identity<number>()
    expect(await Promise.all([loader.load(2), loader.load(1)])).toEqual([2, 1])
    expect(batches).toEqual([[2, 1]])
  })

  it('that occur within promises go with them, however deep', async () => {
    const { loader, batches } = identity<string>()
    await Promise.all([
      loader.load('a'),
      Promise.resolve().then(() => loader.load('b')),
      (async () => {
        for (let depth = 0; depth < 10; depth++) await null
        await loader.load('c')
      })(),
      new Promise((resolve) => queueMicrotask(() => resolve(loader.load('d')))),
    ])
    expect(batches).toEqual([['a', 'b', 'd', 'c']])
  })

  it('of a later turn make another batch', async () => {
    const { loader, batches } = identity<number>()
    const first = loader.load(1)
    await nextTurn()
    await Promise.all([first, loader.load(2)])
    expect(batches).toEqual([[1], [2]])
  })

  it('of one key share a promise in a turn, and are not repeated later', async () => {
    const { loader, batches } = identity<string>()
    expect(await Promise.all([loader.load('a'), loader.load('a')])).toEqual(['a', 'a'])
    await loader.load('a')
    expect(batches).toEqual([['a']])
  })

  it('that were in the cache wait for the batch that gathers', async () => {
    const { promise, resolve: finish } = Promise.withResolvers<void>()
    const loader = new DataLoader<string, string>(async (keys) => {
      if (keys.includes('slow')) await promise
      return keys
    })
    await loader.load('known')
    const order: string[] = []
    const slow = loader.load('slow').then(() => void order.push('slow'))
    const known = loader.load('known').then(() => void order.push('known'))
    await nextTurn()
    expect(order).toEqual([])
    finish()
    await Promise.all([slow, known])
    expect(order.toSorted()).toEqual(['known', 'slow'])
  })

  it('fill one batch after the other with maxBatchSize', async () => {
    const { loader, batches } = identity<number>({ maxBatchSize: 2 })
    await loader.loadMany([1, 2, 3])
    expect(batches).toEqual([[1, 2], [3]])
  })

  it('go one by one without batching', async () => {
    const { loader, batches } = identity<number>({ batch: false })
    await loader.loadMany([1, 2])
    expect(batches).toEqual([[1], [2]])
  })

  it('call the batch function with the loader as this', async () => {
    const seen: unknown[] = []
    const loader = new DataLoader<number, number>(async function (this: unknown, keys) {
      seen.push(this)
      return keys
    })
    await loader.load(1)
    expect(seen).toEqual([loader])
  })

  it('are scheduled with the loader as `this`', async () => {
    const seen: unknown[] = []
    const { loader } = identity<string>({
      batchScheduleFn(this: unknown, go: () => void) {
        seen.push(this)
        go()
      },
    })
    void loader.load('a')
    expect(seen).toEqual([loader])
  })

  it('go when the schedule function says so', async () => {
    const due: Array<() => void> = []
    const { loader, batches } = identity<string>({ batchScheduleFn: (go) => void due.push(go) })
    const loads = [loader.load('a')]
    await nextTurn()
    loads.push(loader.load('b'))
    expect(batches).toEqual([])
    due[0]?.()
    await Promise.all(loads)
    expect(batches).toEqual([['a', 'b']])
  })
})

describe('the memo', () => {
  it('forgets a key by clear and all by clearAll', async () => {
    const { loader, batches } = identity<string>()
    await loader.loadMany(['a', 'b'])
    await loader.clear('a').loadMany(['a', 'b'])
    await loader.clearAll().loadMany(['a', 'b'])
    expect(batches).toEqual([['a', 'b'], ['a'], ['a', 'b']])
  })

  it('takes the first value that it is primed with, and another one after a clear', async () => {
    const { loader, batches } = identity<string>()
    loader.prime('a', 'first').prime('a', 'second')
    expect(await loader.load('a')).toBe('first')
    loader.clear('a').prime('a', 'third')
    expect(await loader.load('a')).toBe('third')
    expect(batches).toEqual([])
  })

  it('hands out an error that it was primed with, and does not complain before that', async () => {
    const { loader } = identity<string>()
    loader.prime('a', new Error('primed'))
    await nextTurn()
    await expect(loader.load('a')).rejects.toThrow('primed')
  })

  it('keeps the error of a key, but not of a whole batch', async () => {
    let calls = 0
    const loader = new DataLoader<string, string>(async (keys) => {
      calls++
      if (keys.includes('bad batch')) throw new Error('batch')
      return keys.map((key) => (key === 'bad' ? new Error('own') : key))
    })
    await expect(loader.load('bad')).rejects.toThrow('own')
    await expect(loader.load('bad')).rejects.toThrow('own')
    expect(calls).toBe(1)
    await expect(loader.load('bad batch')).rejects.toThrow('batch')
    await expect(loader.load('bad batch')).rejects.toThrow('batch')
    expect(calls).toBe(3)
  })

  it('can be left out: then a key that is asked for twice is in the batch twice', async () => {
    const without = identity<string>({ cache: false })
    await without.loader.loadMany(['a', 'a'])
    const withNull = identity<string>({ cacheMap: null })
    await withNull.loader.prime('a', 'x').clear('a').clearAll().loadMany(['a', 'a'])
    expect([without.batches, withNull.batches]).toEqual([[['a', 'a']], [['a', 'a']]])
  })

  it('tells objects apart by cacheKeyFn', async () => {
    const { loader, batches } = identity<{ id: number }>({ cacheKeyFn: ({ id }) => id })
    const first = { id: 1 }
    expect(await loader.load(first)).toBe(first)
    expect(await loader.load({ id: 1 })).toBe(first)
    expect(batches).toEqual([[first]])
    loader.clear({ id: 1 })
    expect(await loader.load({ id: 1 })).not.toBe(first)
  })

  it('is the map that it was given', async () => {
    const map = new Map<string, Promise<string>>()
    const loader = new DataLoader<string, string>(async (keys) => keys, { cacheMap: map })
    await loader.loadMany(['a', 'b'])
    expect([...map.keys()]).toEqual(['a', 'b'])
    loader.clearAll()
    expect(map.size).toBe(0)
  })
})

describe('loadMany', () => {
  it('takes anything like an array, and gives errors in their places', async () => {
    const loader = new DataLoader<number, number>(async (keys) =>
      keys.map((key) => (key % 2 === 0 ? key : new Error(`odd ${key}`))),
    )
    const found = await loader.loadMany({ length: 2, 0: 2, 1: 3 })
    expect(found).toEqual([2, new Error('odd 3')])
    expect(await loader.loadMany([])).toEqual([])
  })
})

describe('the surface', () => {
  it('is the class, by name and by default', () => {
    expect(Default).toBe(DataLoader)
  })

  it('has a name, or null', () => {
    expect(identity().loader.name).toBeNull()
    expect(identity({ name: 'users' }).loader.name).toBe('users')
  })

  it('can be extended: loads and clears go through the methods of the subclass', async () => {
    const seen: string[] = []
    class Own extends DataLoader<string, string> {
      override load(key: string): Promise<string> {
        seen.push(`load ${key}`)
        return super.load(key)
      }
      override clear(key: string): this {
        seen.push(`clear ${key}`)
        return super.clear(key)
      }
    }
    const loader = new Own(async () => {
      throw new Error('down')
    })
    expect(await loader.loadMany(['a'])).toEqual([new Error('down')])
    expect(seen).toEqual(['load a', 'clear a'])
  })
})
