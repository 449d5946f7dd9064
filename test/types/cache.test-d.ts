import { describe, expectTypeOf, it } from 'vitest'
import {
  type Cache,
  type CacheEvents,
  type CacheHealth,
  createCache,
  isResilienceError,
  type LoadContext,
  memory,
  type ResilienceError,
} from '../../src/index.ts'

interface Thing {
  readonly id: number
}
const cache = createCache({ name: 'app', ttl: '5m', l2: memory(), l1: { maxBytes: '64mb' } })

describe('getOrSet', () => {
  it('infers the value from the origin', () => {
    expectTypeOf(cache.getOrSet('k', () => 5)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(cache.getOrSet('k', async () => ({ id: 5 }))).toEqualTypeOf<
      Promise<{ id: number }>
    >()
    expectTypeOf(cache.getOrSet('k', () => null)).toEqualTypeOf<Promise<null>>()
  })

  it('infers it where the origin takes its context', () => {
    const value = cache.getOrSet('k', async ({ signal }) => (signal.aborted ? 0 : 1), {
      cacheIf: (count) => count > 0,
      ttl: (count) => count,
    })
    expectTypeOf(value).resolves.toBeNumber()
  })

  it('types the stale value where it is said', () => {
    const annotated = cache.getOrSet(
      'k',
      async ({ stale }: LoadContext<Thing>) => stale ?? { id: 1 },
    )
    expectTypeOf(annotated).toEqualTypeOf<Promise<Thing>>()
    const explicit = cache.getOrSet<Thing>('k', async ({ stale }) => stale ?? { id: 1 })
    expectTypeOf(explicit).toEqualTypeOf<Promise<Thing>>()
  })

  it('takes any key, and only its own options', () => {
    void cache.getOrSet({ user: 1, at: new Date(0) }, () => 1, { tags: ['t'], grace: '1h' })
    // @ts-expect-error it has no name
    void cache.getOrSet('k', () => 1, { name: 'x' })
    // @ts-expect-error it always gets its context
    void cache.getOrSet('k', () => 1, { context: true })
    // @ts-expect-error tags are the key's own
    void cache.getOrSet('k', () => 1, { tags: () => ['t'] })
    // @ts-expect-error the value is a number
    void cache.getOrSet('k', () => 1, { cacheIf: (value) => value.trim() === '' })
    // @ts-expect-error the origin is a function
    void cache.getOrSet('k', 1)
  })
})

describe('the rest of a cache', () => {
  it('gives values as they are asked for', () => {
    expectTypeOf(cache.get('k')).toEqualTypeOf<Promise<unknown>>()
    expectTypeOf(cache.get<Thing>('k')).toEqualTypeOf<Promise<Thing | undefined>>()
    expectTypeOf(cache.getMany<Thing>(['k'])).toEqualTypeOf<Promise<Array<Thing | undefined>>>()
    expectTypeOf(cache.set('k', 1)).toEqualTypeOf<Promise<{ readonly durable: boolean }>>()
    expectTypeOf(cache.namespace('a', { ttl: '1m' })).toEqualTypeOf<Cache>()
    expectTypeOf(cache.health()).toEqualTypeOf<CacheHealth>()
  })

  it('types events by their name', () => {
    cache.on('hit', (event) => expectTypeOf(event.level).toEqualTypeOf<'l1' | 'l2'>())
    cache.on('l2-state', (event) => expectTypeOf(event).toEqualTypeOf<CacheEvents['l2-state']>())
    expectTypeOf(cache.on('gap', () => {})).toEqualTypeOf<() => void>()
    // @ts-expect-error
    cache.on('hits', () => {})
  })

  it('refuses names that are no options', () => {
    // @ts-expect-error
    createCache({ tll: '5m' })
    // @ts-expect-error
    createCache({ l1: { maxEntry: 5 } })
    // @ts-expect-error
    createCache({ l1: { values: 'copy' } })
    // @ts-expect-error
    createCache({ l2: 'redis://localhost' })
    // @ts-expect-error a function of the value belongs to a cached function
    createCache({ ttl: () => '5m' })
    // @ts-expect-error
    cache.namespace('a', { name: 'x' })
    // @ts-expect-error
    void cache.close({ timeout: '5s' })
    // @ts-expect-error
    void cache.ready({ deadline: '5s' })
    // @ts-expect-error
    void cache.set('k', 1, { ttl: '5 minutes' })
  })

  it('can be used with await using', async () => {
    await using used = createCache()
    expectTypeOf(used).toEqualTypeOf<Cache>()
  })

  it('tells its errors apart', () => {
    const error: unknown = undefined
    if (isResilienceError(error, 'ERR_TIMEOUT')) {
      expectTypeOf(error).toEqualTypeOf<ResilienceError>()
      expectTypeOf(error.retryAfterMs).toEqualTypeOf<number | undefined>()
    }
    // @ts-expect-error
    isResilienceError(error, 'ERR_TIMED_OUT')
  })
})
