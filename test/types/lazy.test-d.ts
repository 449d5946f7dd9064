import { type Dispatcher, request } from 'undici'
import { describe, expectTypeOf, it } from 'vitest'
import { type HttpPool, httpPool, type Lazy, lazy } from '../../src/index.ts'

describe('lazy', () => {
  it('is of what is loaded', () => {
    const module = lazy(() => import('../../src/bottleneck.ts'))
    expectTypeOf(module).toEqualTypeOf<Lazy<typeof import('../../src/bottleneck.ts')>>()
    expectTypeOf(module.get()).toEqualTypeOf<Promise<typeof import('../../src/bottleneck.ts')>>()
    expectTypeOf(module.peek()).toEqualTypeOf<
      typeof import('../../src/bottleneck.ts') | undefined
    >()
    expectTypeOf(lazy(() => 5).get()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(module.stats().loadMs).toEqualTypeOf<number | undefined>()
    module.preload({ idle: true })
    // @ts-expect-error it takes a function
    lazy(import('../../src/bottleneck.ts'))
  })
})

describe('httpPool', () => {
  it('takes the type of the undici in use', async () => {
    const pool = await httpPool<Dispatcher>()
    await request('http://localhost', { dispatcher: pool })
    expectTypeOf(pool.stats().busy).toEqualTypeOf<number>()
  })

  it('is a dispatcher for fetch, with figures', () => {
    expectTypeOf(httpPool()).toEqualTypeOf<Promise<HttpPool>>()
    expectTypeOf<HttpPool>().toExtend<NonNullable<RequestInit['dispatcher']>>()
    expectTypeOf<HttpPool['fetch']>().toEqualTypeOf<typeof fetch>()
    expectTypeOf<ReturnType<HttpPool['stats']>['handshakes']>().toEqualTypeOf<number>()
    // @ts-expect-error it is `connections`
    void httpPool({ connection: 5 })
  })
})
