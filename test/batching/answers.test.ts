import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loader } from '../../src/batching/loader.ts'
import { requestScope } from '../../src/batching/request-scope.ts'
import type { Fallback } from '../../src/contracts/load-guard.ts'
import { GUARD_PARTS } from '../../src/contracts/load-guard.ts'
import { asRunner } from '../../src/contracts/runner.ts'
import { ResilienceError } from '../../src/kernel/errors.ts'

interface Row {
  readonly id: number
}

describe('rows in any order', () => {
  it('are brought to their keys, and what is missing is null', async () => {
    const rows = loader(
      async (ids: readonly number[]) =>
        ids
          .slice(1)
          .map((id) => ({ id }))
          .reverse(),
      {
        keyOf: (row) => row.id,
      },
    )
    expect(await rows.loadMany([1, 2, 3])).toEqual([null, { id: 2 }, { id: 3 }])
  })

  it('may be sorted, and so may the keys that the function was given', async () => {
    const rows = loader(
      async (ids: readonly number[]) => {
        const sorted = (ids as number[]).sort()
        return sorted.map((id): Row => ({ id }))
      },
      { keyOf: (row) => row.id },
    )
    expect(await rows.loadMany([3, 1, 2])).toEqual([{ id: 3 }, { id: 1 }, { id: 2 }])
  })

  it('reject or are made up where they are missing, as it was said', async () => {
    const none = async (_: readonly number[]): Promise<Row[]> => []
    const keyOf = (row: Row): number => row.id
    const strict = loader(none, { name: 'users', keyOf, onMissing: 'error' })
    await expect(strict.load(1)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      retryable: false,
      message: expect.stringContaining("loader 'users'"),
    })
    const made = loader(none, { keyOf, onMissing: (id) => ({ id, isNew: true }) })
    expect(await made.load(1)).toEqual({ id: 1, isNew: true })
    const own = loader(none, { keyOf, onMissing: (id) => new Error(`no ${id}`) })
    await expect(own.load(1)).rejects.toThrow('no 1')
  })

  it('of objects are found by their key function', async () => {
    const rows = loader(
      async (keys: readonly { tenant: string; id: number }[]) =>
        keys.map((key) => ({ ...key, name: `n${key.id}` })).reverse(),
      {
        key: ({ tenant, id }) => `${tenant}:${id}`,
        keyOf: ({ tenant, id }) => ({ tenant, id }),
      },
    )
    const found = await rows.loadMany([
      { tenant: 'a', id: 1 },
      { tenant: 'a', id: 2 },
    ])
    expect(found).toMatchObject([{ name: 'n1' }, { name: 'n2' }])
  })

  it('of another type of key, and two of one key, are an error that says what to do', async () => {
    const texts = loader(async (ids: readonly number[]) => ids.map((id) => ({ id: String(id) })), {
      name: 'users',
      keyOf: (row) => row.id as unknown as number,
    })
    await expect(texts.load(1)).rejects.toThrow(
      "the batch function of the loader 'users': keyOf found none of the keys in 1 rows; " +
        'it gives text, and the keys are a number',
    )
    const twice = loader(async (_: readonly number[]) => [{ id: 1 }, { id: 1 }], {
      keyOf: (row) => row.id,
    })
    await expect(twice.load(1)).rejects.toThrow('return Map.groupBy(rows, keyOf)')
  })
})

describe('a Map', () => {
  it('gives the value of each key, an Error its own', async () => {
    const rows = loader(
      async (_: readonly string[]) =>
        new Map<string, string | Error>([
          ['b', 'B'],
          ['bad', new Error('own')],
        ]),
    )
    expect(await rows.loadMany(['a', 'b', 'bad'])).toEqual([null, 'B', new Error('own')])
  })

  it('may hold groups, and an empty one for what is missing', async () => {
    const rows = [
      { user: 1, item: 'tea' },
      { user: 2, item: 'milk' },
      { user: 1, item: 'rice' },
    ]
    const byUser = new Map([
      [1, [rows[0], rows[2]]],
      [2, [rows[1]]],
    ])
    const items = loader(async (_: readonly number[]) => byUser, { onMissing: () => [] })
    const found = await items.loadMany([1, 3])
    expect(found).toEqual([[rows[0], rows[2]], []])
  })
})

describe('values in order', () => {
  it.each([
    [[1], 'it gave 1 values for 2 keys; return one value for each key'],
    [undefined, 'it gave undefined; return an array or a Map'],
    ['ab', 'it gave text'],
  ])('have to be as many as the keys: %j', async (answer, message) => {
    const some = loader(async (_: readonly number[]) => answer as number[], { name: 'some' })
    const found = await some.loadMany([1, 2])
    for (const one of found) {
      expect(one).toMatchObject({ code: 'ERR_INVALID_OPTION' })
      expect((one as Error).message).toContain(
        `the batch function of the loader 'some': ${message}`,
      )
    }
  })

  it('may come at once, and failures too', async () => {
    const some = loader((ids: readonly number[]) => ids)
    expect(await some.load(1)).toBe(1)
    const failing = loader((_: readonly number[]): number[] => {
      throw new Error('at once')
    })
    await expect(failing.load(1)).rejects.toThrow('at once')
  })
})

describe('split', () => {
  function poisoned(poison: ReadonlySet<number>) {
    const calls: number[] = []
    const some = loader(
      async (ids: readonly number[]) => {
        calls.push(ids.length)
        if (ids.some((id) => poison.has(id))) throw new Error('poison')
        return ids
      },
      { onBatchError: 'split' },
    )
    return { some, calls }
  }

  it('lets only the poisoned key fail, for 2 log2(n) more calls', async () => {
    const { some, calls } = poisoned(new Set([37]))
    const ids = Array.from({ length: 100 }, (_, id) => id)
    const found = await some.loadMany(ids)
    expect(found).toEqual(ids.map((id) => (id === 37 ? new Error('poison') : id)))
    expect(calls.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(100)))
    expect(some.stats()).toMatchObject({ batches: 1, errors: 1 })
  })

  it('gives every key its value or an error, and never calls much more often', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.nat(199), { maxLength: 30 }),
        async (size, poison) => {
          const bad = new Set(poison)
          const { some, calls } = poisoned(bad)
          const ids = Array.from({ length: size }, (_, id) => id)
          const found = await some.loadMany(ids)
          const isRight = (one: unknown, id: number): boolean => one === id || one instanceof Error
          expect(found.every(isRight)).toBe(true)
          expect(ids.filter((id) => bad.has(id) && !(found[id] instanceof Error))).toEqual([])
          expect(calls.length).toBeLessThanOrEqual(1 + 4 * Math.ceil(Math.log2(size)))
        },
      ),
    )
  })

  it('does not ask again for what no key is to blame for', async () => {
    let calls = 0
    const some = loader(
      async (_: readonly number[]): Promise<number[]> => {
        calls++
        throw new ResilienceError('ERR_CIRCUIT_OPEN', 'open')
      },
      { onBatchError: 'split' },
    )
    expect(await some.loadMany([1, 2, 3])).toMatchObject(
      Array(3).fill({ code: 'ERR_CIRCUIT_OPEN' }),
    )
    expect(calls).toBe(1)
  })

  it('asks again for a key that has failed with its batch', () =>
    requestScope(async () => {
      const poison = new Set([1])
      const { some } = poisoned(poison)
      expect(await some.loadMany([1, 2])).toEqual([new Error('poison'), 2])
      poison.clear()
      expect(await some.load(1)).toBe(1)
    }))
})

describe('a guard', () => {
  it('that calls again gives all keys again, though the first call has used them up', async () => {
    const again = asRunner(async (task) => {
      const { signal } = new AbortController()
      try {
        return await task(signal)
      } catch {
        return task(signal)
      }
    }, {})
    const calls: number[][] = []
    const some = loader(
      async (ids: readonly number[]) => {
        calls.push([...ids])
        const found = new Map((ids as number[]).splice(0).map((id) => [id, id]))
        if (calls.length === 1) throw new Error('down')
        return found
      },
      { guard: again },
    )
    expect(await some.loadMany([1, 2])).toEqual([1, 2])
    expect(calls).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  it('hands its signal to the batch function', async () => {
    const { signal } = new AbortController()
    const seen: unknown[] = []
    const guard = asRunner(async (task) => task(signal), {})
    const some = loader(
      async (ids: readonly number[], context) => {
        seen.push(context.signal)
        return ids
      },
      { guard },
    )
    await some.load(1)
    expect(seen).toEqual([signal])
  })

  it('with a fallback has it answer for the keys, and the request does not remember that', () =>
    requestScope(async () => {
      const seen: unknown[] = []
      const fallback: Fallback = (error, { args }) => {
        seen.push((error as Error).message, args)
        return new Map([[1, 'instead']])
      }
      const runner = asRunner(async (task) => task(AbortSignal.timeout(1000)), {})
      const guard = asRunner(runner, { [GUARD_PARTS]: { runner, fallback } })
      let isDown = true
      const some = loader(
        async (ids: readonly number[]) => {
          if (isDown) throw new Error('down')
          return new Map(ids.map((id) => [id, `v${id}`]))
        },
        { guard },
      )
      expect(await some.loadMany([1, 2])).toEqual(['instead', null])
      expect(seen).toEqual(['down', [[1, 2]]])
      isDown = false
      expect(await some.loadMany([1, 2])).toEqual(['v1', 'v2'])
    }))
})
