import { describe, expectTypeOf, it } from 'vitest'
import {
  type CachedFunction,
  type CacheStats,
  type Codec,
  cached,
  createCache,
  type Detail,
  type Durability,
  type Duration,
  type FunctionOptions,
  type LoadContext,
  type Settled,
} from '../../src/index.ts'

interface Partner {
  readonly rut: string
  readonly name: string
}
declare const fetchPartner: (rut: string) => Promise<Partner>
const cache = createCache({ ttl: '5m' })

describe('options declared apart', () => {
  it('fit the function they were declared for', () => {
    const options: FunctionOptions<[rut: string], Partner> = { ttl: '1h' }
    expectTypeOf(cached(fetchPartner, options)).toEqualTypeOf<
      CachedFunction<[rut: string], Partner>
    >()
  })
})

describe('cached(fn, options)', () => {
  it('takes no scope: a plain function has no instances', () => {
    // @ts-expect-error an option of methods
    cached(fetchPartner, { scope: 'class' })
  })

  it('keeps the arguments and the awaited value', () => {
    expectTypeOf(cached(fetchPartner)).toEqualTypeOf<CachedFunction<[rut: string], Partner>>()
    expectTypeOf(cache.cached(fetchPartner)).toEqualTypeOf<CachedFunction<[rut: string], Partner>>()
    expectTypeOf(cached((n: number) => n > 1)).toEqualTypeOf<CachedFunction<[n: number], boolean>>()
    expectTypeOf(cached((n: number) => (n > 1 ? n : Promise.resolve('')))).toEqualTypeOf<
      CachedFunction<[n: number], number | string>
    >()
    expectTypeOf(cached(() => undefined)).toEqualTypeOf<CachedFunction<[], undefined>>()
    expectTypeOf(cached(async (...ids: number[]) => ids.length)).toEqualTypeOf<
      CachedFunction<number[], number>
    >()
  })

  it('keeps optional arguments, whatever the callbacks take', () => {
    const fn = cached(async (id: number, full?: boolean) => ({ id, full }), {
      key: (id) => id,
      tags: (id, full) => [`${id}`, String(full)],
    })
    expectTypeOf(fn).toBeCallableWith(1)
    expectTypeOf(fn).toBeCallableWith(1, true)
    expectTypeOf(fn).parameters.toEqualTypeOf<[id: number, full?: boolean | undefined]>()
  })

  it('gives the last signature of overloads, as TypeScript does', () => {
    function load(id: string): Promise<string>
    function load(id: number): Promise<number>
    async function load(id: unknown): Promise<unknown> {
      return id
    }
    expectTypeOf(cached(load)).toEqualTypeOf<CachedFunction<[id: number], number>>()
  })

  it('gives the bound of a type parameter, as a wrapper can remember no call’s own', () => {
    const fn = cached(async <T extends Partner>(partner: T) => partner)
    expectTypeOf(fn).toEqualTypeOf<CachedFunction<[partner: Partner], Partner>>()
  })

  it('works within a generic function', () => {
    const make = <T extends string, V>(load: (id: T) => Promise<V>) =>
      cached(load, { key: (id) => id })
    expectTypeOf(make(async (id: 'a' | 'b') => id.length)).toBeCallableWith('a')
  })

  it('can be given where a plain async function is asked for', () => {
    const plain: (rut: string) => Promise<Partner> = cached(fetchPartner)
    const wider: (rut: string) => Promise<{ name: string }> = cached(fetchPartner)
    expectTypeOf(plain).toBeFunction()
    expectTypeOf(wider).toBeFunction()
  })

  it('types its callbacks by the origin', () => {
    cached(fetchPartner, {
      key: (rut) => expectTypeOf(rut).toBeString(),
      tags: (rut) => [rut, `rut:${rut.trim()}`],
      cacheIf: (partner) => partner.name !== '',
      ttl: (partner) => (partner.name === '' ? '1m' : 5000),
      manyOrigin: async (lists) => lists.map(([rut]) => ({ rut, name: '' })),
      codec: {
        id: 'x',
        encode: (partner) => Buffer.from(partner.name),
        decode: () => ({ rut: '', name: '' }),
      },
    })
    cached(fetchPartner, { manyOrigin: (lists) => lists.map(() => new Error('gone')) })
    cached(fetchPartner, { key: () => [1, 'x', { a: null }] })
  })

  it('refuses callbacks that do not fit', () => {
    // @ts-expect-error the argument is text
    cached(fetchPartner, { key: (rut: number) => rut })
    // @ts-expect-error tags are a list
    cached(fetchPartner, { tags: (rut) => rut })
    // @ts-expect-error partners have no id
    cached(fetchPartner, { cacheIf: (partner) => partner.id > 0 })
    // @ts-expect-error a ttl is a duration
    cached(fetchPartner, { ttl: (partner) => partner.name })
    // @ts-expect-error it gives partners
    cached(fetchPartner, { manyOrigin: async (lists) => lists.map(([rut]) => rut) })
    // @ts-expect-error the codec is of something else
    cached(fetchPartner, { codec: {} as Codec<number> })
  })

  it('refuses names that are no options', () => {
    // @ts-expect-error
    cached(fetchPartner, { tll: '5m' })
    // @ts-expect-error
    cache.cached(fetchPartner, { context: true, tll: '5m' })
    // @ts-expect-error
    cached({ tll: '5m' })
    // @ts-expect-error
    cached('not a function', { ttl: '5m' })
  })
})

describe('durations', () => {
  it('are milliseconds or text with a unit', () => {
    const good: Duration[] = [0, 5000, Number.POSITIVE_INFINITY, '250ms', '30s', '5m', '1.5h', '7d']
    expectTypeOf(good).toBeArray()
    // @ts-expect-error
    cached(fetchPartner, { ttl: '5 minutes' })
    // @ts-expect-error
    cached(fetchPartner, { ttl: '5' })
    // @ts-expect-error
    cached(fetchPartner, { ttl: '5M' })
    // @ts-expect-error
    createCache({ ttl: new Date() })
    // @ts-expect-error
    createCache({ l1: { maxBytes: '64 megabytes' } })
  })
})

describe('context: true', () => {
  it('shifts the arguments', () => {
    const fn = cached(
      async (context: LoadContext<Partner>, rut: string) => context.stale ?? { rut, name: '' },
      { context: true, key: (rut) => rut, tags: (rut) => [rut] },
    )
    expectTypeOf(fn).toEqualTypeOf<CachedFunction<[rut: string], Partner>>()
  })

  it('types a context that is not annotated, its stale value unknown', () => {
    const fn = cached(
      ({ signal, stale, setTtl, setTags, skip }, id: number) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(stale).toBeUnknown()
        setTtl('5m')
        setTags(['t'])
        skip()
        return Promise.resolve(id)
      },
      {
        context: true,
        ttl: (id) => id,
        manyOrigin: ({ signal }, lists) => lists.map(([id]) => (signal.aborted ? 0 : id)),
      },
    )
    expectTypeOf(fn).toEqualTypeOf<CachedFunction<[id: number], number>>()
  })

  it('holds for cached(options)(fn) too', () => {
    const fn = cached({ context: true, ttl: '1m' })(async ({ signal }, id: number) =>
      signal.aborted ? 0 : id,
    )
    expectTypeOf(fn).toEqualTypeOf<CachedFunction<[id: number], number>>()
    expectTypeOf(cache.cached({ ttl: '1m' })(fetchPartner)).toEqualTypeOf<
      CachedFunction<[rut: string], Partner>
    >()
  })
})

describe('the methods of a cached function', () => {
  const fn = cached(fetchPartner)

  it('take its arguments and give its value', () => {
    expectTypeOf(fn).returns.toEqualTypeOf<Promise<Partner>>()
    expectTypeOf(fn.peek).toEqualTypeOf<(rut: string) => Partner | undefined>()
    expectTypeOf(fn.with({ maxAge: '5s' })).toEqualTypeOf<(rut: string) => Promise<Partner>>()
    expectTypeOf(fn.detail('x')).toEqualTypeOf<Promise<Detail<Partner>>>()
    expectTypeOf(fn.refresh('x')).toEqualTypeOf<Promise<Partner>>()
    expectTypeOf(fn.set(['x'], { rut: '', name: '' })).toEqualTypeOf<Promise<Durability>>()
    expectTypeOf(fn.invalidate('x')).toEqualTypeOf<Promise<Durability>>()
    expectTypeOf(fn.key('x')).toBeString()
    expectTypeOf(fn.stats()).toEqualTypeOf<CacheStats>()
    expectTypeOf(fn.for({})).toEqualTypeOf<typeof fn>()
  })

  it('tell a settled batch from one that rejects', () => {
    expectTypeOf(fn.many([['x'], ['y']])).toEqualTypeOf<Promise<Partner[]>>()
    expectTypeOf(fn.many([['x']], {})).toEqualTypeOf<Promise<Partner[]>>()
    expectTypeOf(fn.many([['x']], { settle: true })).toEqualTypeOf<Promise<Settled<Partner>[]>>()
    const lists = ['x', 'y'].map((rut): [string] => [rut])
    expectTypeOf(fn.many(lists)).resolves.toBeArray()
  })

  it('narrow what was settled', async () => {
    const [settled] = await fn.many([['x']], { settle: true })
    if (settled?.ok) expectTypeOf(settled.value).toEqualTypeOf<Partner>()
    else expectTypeOf(settled?.error).toBeUnknown()
  })

  it('refuse other arguments', () => {
    // @ts-expect-error
    void fn(5)
    // @ts-expect-error
    void fn()
    // @ts-expect-error
    void fn('x', 'y')
    // @ts-expect-error
    void fn.set('x', { rut: '', name: '' })
    // @ts-expect-error
    void fn.set(['x'], 5)
    // @ts-expect-error
    void fn.many(['x'])
    // @ts-expect-error
    fn.with({ reloads: true })
  })
})
