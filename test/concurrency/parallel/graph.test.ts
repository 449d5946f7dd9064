import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { endsAfter, failsAfter, watch } from './steps.ts'

describe('parallel.graph', () => {
  it('starts each node the moment its inputs are there', async () => {
    const clock = new FakeClock()
    const startedAt: Record<string, number> = {}
    const node =
      <T>(name: string, ms: number, value: T) =>
      () => {
        startedAt[name] = clock.now()
        return endsAfter(clock, ms, value)()
      }
    const call = watch(
      parallel.graph(
        {
          page: { after: ['orders', 'user'], run: node('page', 5, 'page') },
          user: node('user', 10, 'user'),
          prices: node('prices', 100, 'prices'),
          orders: { after: ['user'], run: node('orders', 20, 'orders') },
          totals: { after: ['orders', 'prices'], run: node('totals', 1, 'totals') },
        },
        { clock },
      ),
    )
    await clock.advance(101)
    expect(startedAt).toEqual({ user: 0, prices: 0, orders: 10, page: 30, totals: 100 })
    expect(Object.keys(call.value ?? {})).toEqual(['page', 'user', 'prices', 'orders', 'totals'])
  })

  it('hands each node the values that it comes after, and no others', async () => {
    const seen: unknown[] = []
    const values = await parallel.graph({
      user: async () => ({ id: 7 }),
      flag: Promise.resolve(true),
      orders: {
        after: ['user', 'flag'],
        run: (inputs, signal) => {
          seen.push(inputs, signal.aborted)
          return [inputs.user.id]
        },
      },
      alone: { run: (inputs) => Object.keys(inputs).length },
    })
    expect(seen).toEqual([{ user: { id: 7 }, flag: true }, false])
    expect(values).toEqual({ user: { id: 7 }, flag: true, orders: [7], alone: 0 })
  })

  it('gives a node the fallback of what it comes after', async () => {
    const fails = async (): Promise<number> => {
      throw new Error('down')
    }
    expect(
      await parallel.graph({
        price: { after: [], run: fails, fallback: 1 },
        discount: { after: [], run: fails, optional: true },
        total: {
          after: ['price', 'discount'],
          run: ({ price, discount }: { price: number; discount: number | undefined }) =>
            `${price} ${discount}`,
        },
      }),
    ).toEqual({ price: 1, discount: undefined, total: '1 undefined' })
  })

  it('fails at once with the first error, and starts nothing more', async () => {
    const clock = new FakeClock()
    const started = vi.fn()
    const error = new Error('no user')
    let signal: AbortSignal | undefined
    const call = watch(
      parallel.graph(
        {
          user: failsAfter(clock, 10, error),
          other: (given: AbortSignal) => {
            signal = given
            return new Promise(() => {})
          },
          orders: { after: ['user'], run: started },
        },
        { clock },
      ),
    )
    await clock.advance(10)
    expect(call.error).toBe(error)
    expect(signal?.reason).toBe(error)
    expect(started).not.toHaveBeenCalled()
  })

  it('holds its concurrency', async () => {
    const clock = new FakeClock()
    let running = 0
    let most = 0
    const node = async () => {
      most = Math.max(most, ++running)
      await endsAfter(clock, 10, 0)()
      running--
    }
    const nodes = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`n${i}`, node]))
    const call = watch(parallel.graph(nodes, { clock, concurrency: 3 }))
    for (let step = 0; step < 20 && !call.done; step++) await clock.advance(10)
    expect(call.done).toBe(true)
    expect(most).toBe(3)
  })

  it('runs a chain of thousands of nodes that answer at once', async () => {
    const names = Array.from({ length: 5000 }, (_, i) => `n${i}`)
    const nodes = Object.fromEntries(
      names.map((name, i) => [name, { after: i === 0 ? [] : [names[i - 1]], run: () => i }]),
    )
    const values: Record<string, unknown> = await parallel.graph(nodes as never)
    expect(values.n4999).toBe(4999)
  })

  it('ends by its time limit with what has fallbacks', async () => {
    const clock = new FakeClock()
    const never = () => new Promise<string>(() => {})
    const call = watch(
      parallel.graph(
        {
          user: { after: [], run: never, fallback: 'nobody' },
          orders: { after: ['user'], run: never, optional: true },
        },
        { clock, timeout: '1s' },
      ),
    )
    await clock.advance(1000)
    expect(call.value).toEqual({ user: 'nobody', orders: undefined })
  })

  it('starts nothing after its time limit, though a fallback has made a node ready', async () => {
    const clock = new FakeClock()
    const started: string[] = []
    const call = watch(
      parallel.graph(
        {
          user: { after: [], run: () => new Promise<string>(() => {}), fallback: 'nobody' },
          orders: { after: ['user'], run: () => started.push('orders'), fallback: 0 },
        },
        { clock, timeout: '1s' },
      ),
    )
    await clock.advance(1000)
    expect(call.value).toEqual({ user: 'nobody', orders: 0 })
    expect(started).toEqual([])
  })
})

describe('a graph that cannot be run', () => {
  const run = () => 1
  const graph = (nodes: object) => parallel.graph(nodes as never)

  it('is refused with the cycle by name', async () => {
    const started = vi.fn()
    await expect(
      graph({
        start: started,
        a: { after: ['c', 'start'], run },
        b: { after: ['a'], run },
        c: { after: ['b'], run },
        end: { after: ['c'], run },
      }),
    ).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message:
        "the graph has a cycle, so none of these could start first: a → b → c → a; take one 'after' out of it",
    })
    expect(started).not.toHaveBeenCalled()
    await expect(graph({ a: { after: ['a'], run } })).rejects.toThrow('a → a')
  })

  it('is refused with the name that is no node, and the nearest that is', async () => {
    await expect(graph({ user: run, orders: { after: ['usr'], run } })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: "'orders' runs after what is no node of the graph: 'usr'; did you mean 'user'?",
    })
  })

  it('is refused where a node is none', async () => {
    await expect(graph([run])).rejects.toThrow('parallel.graph takes an object of nodes')
    await expect(graph({ a: 5 })).rejects.toThrow('node 1 of parallel.graph must be a function')
    await expect(graph({ a: { run, before: [] } })).rejects.toThrow("'before'")
    await expect(graph({ a: { run, after: 'b' } })).rejects.toThrow('must be an array of names')
  })
})

it('runs every graph without a cycle in an order that is right', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 12 }),
      fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      async (shape, concurrency) => {
        const ended = new Set<string>()
        const nodes = Object.fromEntries(
          shape.map((links, index) => {
            const before = index === 0 ? [] : links.map((link) => `n${link % index}`)
            const run = async (inputs: object) => {
              expect(before.every((name) => ended.has(name))).toBe(true)
              expect(Object.keys(inputs).sort()).toEqual([...new Set(before)].sort())
              await null
              ended.add(`n${index}`)
              return index
            }
            return [`n${index}`, { after: before, run }]
          }),
        )
        const options = concurrency === undefined ? {} : { concurrency }
        const values = await parallel.graph(nodes as never, options)
        expect(values).toEqual(Object.fromEntries(shape.map((_, index) => [`n${index}`, index])))
      },
    ),
  )
})
