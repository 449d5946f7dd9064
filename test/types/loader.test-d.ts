import { describe, expectTypeOf, it } from 'vitest'
import Default from '../../src/dataloader.ts'
import {
  createCache,
  DataLoader,
  type Loader,
  type LoaderStats,
  loader,
  requestScope,
} from '../../src/index.ts'

interface User {
  readonly id: number
  readonly name: string
}
declare const rows: (ids: readonly number[]) => Promise<User[]>
declare const map: (ids: readonly number[]) => Promise<Map<number, User>>
declare const mixed: (ids: readonly number[]) => Promise<Array<User | Error>>
const cache = createCache({ ttl: '5m' })

describe('loader', () => {
  it('infers key and value from the batch function', () => {
    expectTypeOf(loader(rows)).toEqualTypeOf<Loader<number, User>>()
    expectTypeOf(loader(mixed)).toEqualTypeOf<Loader<number, User>>()
    expectTypeOf(loader(rows, { maxBatch: 5 }).load(1)).toEqualTypeOf<Promise<User>>()
    expectTypeOf(loader(rows).loadMany(new Set([1]))).toEqualTypeOf<Promise<(User | Error)[]>>()
    expectTypeOf(loader((ids: readonly string[]) => ids)).toEqualTypeOf<Loader<string, string>>()
  })

  it('adds what missing keys give', () => {
    const keyOf = (user: User) => user.id
    expectTypeOf(loader(rows, { keyOf })).toEqualTypeOf<Loader<number, User | null>>()
    expectTypeOf(loader(rows, { keyOf: (row) => row.id, onMissing: 'null' })).toEqualTypeOf<
      Loader<number, User | null>
    >()
    expectTypeOf(loader(rows, { keyOf, onMissing: 'error' })).toEqualTypeOf<Loader<number, User>>()
    expectTypeOf(loader(rows, { keyOf, onMissing: (id) => id })).toEqualTypeOf<
      Loader<number, User | number>
    >()
    expectTypeOf(loader(rows, { keyOf, onMissing: (id) => new Error(`${id}`) })).toEqualTypeOf<
      Loader<number, User>
    >()
    expectTypeOf(loader(map)).toEqualTypeOf<Loader<number, User | null>>()
    expectTypeOf(loader(map, { onMissing: 'error' })).toEqualTypeOf<Loader<number, User>>()
  })

  it('takes a cache of this library', () => {
    const stored = loader(rows, {
      keyOf: (user) => user.id,
      cache: { store: cache, name: 'users', ttl: '1h', tags: (id) => [`user:${id}`] },
    })
    expectTypeOf(stored).toEqualTypeOf<Loader<number, User | null>>()
  })

  it('refuses what does not fit', () => {
    // @ts-expect-error keyOf gives another type than the keys are of
    loader(rows, { keyOf: (user) => user.name })
    // @ts-expect-error no such option
    loader(rows, { maxBatchSize: 5 })
    // @ts-expect-error the key is a number
    loader(rows).load('1')
    // @ts-expect-error no such event
    loader(rows).on('hit', () => {})
    // @ts-expect-error not a cache
    loader(rows, { cache: { store: new Map() } })
  })

  it('tells its events and counters', () => {
    loader(rows).on('n-plus-one', (event) => {
      expectTypeOf(event).toEqualTypeOf<{
        readonly loader: string
        readonly count: number
        readonly callSite: string
      }>()
    })
    expectTypeOf(loader(rows).stats()).toEqualTypeOf<LoaderStats>()
  })
})

it('requestScope gives what its function gives', () => {
  expectTypeOf(requestScope(async () => 5)).toEqualTypeOf<Promise<number>>()
})

describe('DataLoader', () => {
  it('has the types of the original', () => {
    const users = new DataLoader<number, User>(async (ids) => ids.map((id) => ({ id, name: '' })))
    expectTypeOf(users.load(1)).toEqualTypeOf<Promise<User>>()
    expectTypeOf(users.loadMany([1])).toEqualTypeOf<Promise<Array<User | Error>>>()
    expectTypeOf(users.clear(1).prime(1, new Error('gone'))).toEqualTypeOf<typeof users>()
    expectTypeOf(users.name).toEqualTypeOf<string | null>()
    const options: DataLoader.Options<{ id: number }, User, number> = {
      cacheKeyFn: ({ id }) => id,
      cacheMap: new Map<number, Promise<User>>(),
    }
    const batch: DataLoader.BatchLoadFn<{ id: number }, User> = async () => []
    expectTypeOf(new Default(batch, options).load({ id: 1 })).toEqualTypeOf<Promise<User>>()
    // @ts-expect-error the key is a number
    users.load('1').catch(() => {})
  })
})
