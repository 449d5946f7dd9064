import pLimit from 'p-limit'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type Bulkhead,
  bulkhead,
  type Permit,
  parallel,
  type Refusal,
  type Runner,
  type SettledTask,
  semaphore,
} from '../../src/index.ts'

interface User {
  readonly id: number
}
declare const getUser: (signal?: AbortSignal) => Promise<User>

describe('parallel', () => {
  it('gives each task its own type, in an object', () => {
    const values = parallel({
      user: getUser,
      count: () => 5,
      text: Promise.resolve('x'),
      aborted: (signal) => signal.aborted,
      spec: { run: async (signal: AbortSignal) => signal.aborted, timeout: '2s' },
    })
    expectTypeOf(values).resolves.toEqualTypeOf<{
      user: User
      count: number
      text: string
      aborted: boolean
      spec: boolean
    }>()
  })

  it('and in a tuple', () => {
    const values = parallel([getUser, () => 5, Promise.resolve('x')])
    expectTypeOf(values).resolves.toEqualTypeOf<[User, number, string]>()
  })

  it('gives an array for an array', () => {
    const ids = [1, 2, 3]
    const values = parallel(ids.map((id) => async () => ({ id })))
    expectTypeOf(values).resolves.toEqualTypeOf<{ id: number }[]>()
  })

  it('knows what fallbacks and optional tasks may give', () => {
    const values = parallel({
      optional: { run: getUser, optional: true },
      required: { run: getUser, optional: false },
      value: { run: getUser, fallback: null },
      made: { run: getUser, fallback: (error: unknown) => String(error) },
      later: { run: getUser, fallback: async () => 5 },
    })
    expectTypeOf(values).resolves.toHaveProperty('optional').toEqualTypeOf<User | undefined>()
    expectTypeOf(values).resolves.toHaveProperty('required').toEqualTypeOf<User>()
    expectTypeOf(values).resolves.toHaveProperty('value').toEqualTypeOf<User | null>()
    expectTypeOf(values).resolves.toHaveProperty('made').toEqualTypeOf<User | string>()
    expectTypeOf(values).resolves.toHaveProperty('later').toEqualTypeOf<User | number>()
  })

  it('refuses what is no task, and options that do not exist', () => {
    // @ts-expect-error a value is no task
    void parallel({ a: 5 })
    // @ts-expect-error no such option
    void parallel([getUser], { timout: 5 })
  })

  it('takes Runners and limiters of p-limit', () => {
    const limit = pLimit(5)
    const runner: Runner = semaphore(5)
    void parallel([getUser], { limit })
    void parallel([getUser], { limit: runner })
    void parallel([getUser], { limit: bulkhead({ max: 5, queue: 5 }), concurrency: 2 })
  })
})

it('parallel.settle gives each task its end', () => {
  const values = parallel.settle({ user: getUser, none: { run: getUser, optional: true } })
  expectTypeOf(values).resolves.toEqualTypeOf<{
    user: SettledTask<User>
    none: SettledTask<User | undefined>
  }>()
  const tuple = parallel.settle([getUser, () => 'x'])
  expectTypeOf(tuple).resolves.toEqualTypeOf<[SettledTask<User>, SettledTask<string>]>()
})

it('parallel.map infers the item and the result', () => {
  const results = parallel.map(new Map([['a', 1]]), async ([key, n], index, signal) => {
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    return `${key}${n}${index}`
  })
  expectTypeOf(results).toEqualTypeOf<Promise<string[]>>()
  async function* stream() {
    yield 5
  }
  expectTypeOf(parallel.map(stream(), (n) => n * 2)).toEqualTypeOf<Promise<number[]>>()
})

describe('parallel.graph', () => {
  it('hands the values of one node to another', () => {
    const values = parallel.graph({
      user: getUser,
      flag: Promise.resolve(true),
      orders: {
        after: ['user', 'flag'],
        run: ({ user, flag }, signal) => {
          expectTypeOf(user).toEqualTypeOf<User>()
          expectTypeOf(flag).toEqualTypeOf<boolean>()
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
          return [user.id]
        },
      },
      discount: { after: ['user'], run: async ({ user }) => user.id / 2, optional: true },
      total: {
        after: ['orders', 'discount'],
        run: ({ orders, discount }: { orders: number[]; discount: number | undefined }) =>
          `${orders.length} ${discount}`,
      },
    })
    expectTypeOf(values).resolves.toEqualTypeOf<{
      user: User
      flag: boolean
      orders: number[]
      discount: number | undefined
      total: string
    }>()
  })

  it('knows no node that is not in `after`', () => {
    void parallel.graph({
      user: getUser,
      orders: {
        after: [],
        // @ts-expect-error not asked for
        run: ({ user }) => user,
      },
    })
    void parallel.graph({
      user: getUser,
      // @ts-expect-error no such node
      orders: { after: ['usr'], run: () => 1 },
    })
  })

  it('checks annotated inputs against what the nodes give', () => {
    void parallel.graph({
      user: getUser,
      orders: {
        after: ['user'],
        // @ts-expect-error it is a User
        run: ({ user }: { user: string }) => user,
      },
    })
    void parallel.graph({
      user: getUser,
      orders: { after: ['user'], run: ({ user }) => [user.id] },
      wrong: {
        after: ['orders'],
        // @ts-expect-error they are numbers
        run: ({ orders }: { orders: string[] }) => orders,
      },
    })
  })

  it('gives a node without `after` no inputs', () => {
    const values = parallel.graph({ a: { run: (inputs) => Object.keys(inputs).length } })
    expectTypeOf(values).resolves.toEqualTypeOf<{ a: number }>()
  })
})

it('bulkheads and semaphores are Runners and give permits', () => {
  const sem = semaphore({ max: 5, queue: 10, maxWait: '1s', name: 'db' })
  expectTypeOf(sem).toExtend<Runner>()
  expectTypeOf(sem).toEqualTypeOf<Bulkhead>()
  expectTypeOf(sem(() => 5)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(sem.tryAcquire()).toEqualTypeOf<Permit | Refusal>()
  expectTypeOf(sem.acquire({ signal: AbortSignal.abort() })).toEqualTypeOf<Promise<Permit>>()
  expectTypeOf(sem.acquire(2, { priority: 1 })).toEqualTypeOf<Promise<Permit>>()
  // @ts-expect-error no such event
  sem.on('waits', () => {})
})
