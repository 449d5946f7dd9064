import { describe, expect, it, vi } from 'vitest'
import { type CacheOptions, createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { runSource } from '../kernel/run-source.ts'

function setUp(options: CacheOptions = {}) {
  const clock = new FakeClock()
  return { clock, cache: createCache({ name: 'app', clock, ttl: '1m', ...options }) }
}

describe('close', () => {
  it('ends everything with ERR_CLOSED', async () => {
    const { cache } = setUp({ l2: memory() })
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    await fn(1)
    await cache.close()
    const attempts: Array<() => unknown> = [
      () => fn(1),
      () => fn(2),
      () => fn.detail(1),
      () => fn.refresh(1),
      () => fn.with({ reload: true })(1),
      () => fn.many([[1]]),
      () => cache.get('k'),
      () => cache.getMany(['k']),
      () => cache.set('k', 1),
      () => cache.delete('k'),
      () => cache.getOrSet('k', () => 1),
      () => cache.invalidateTag('t'),
      () => cache.expireTag('t'),
      () => cache.clear(),
      () => cache.cached(async () => 1, { name: 'late' })(),
      () => cache.namespace('a').get('k'),
    ]
    for (const attempt of attempts) {
      await expect((async () => attempt())(), String(attempt)).rejects.toMatchObject({
        code: 'ERR_CLOSED',
      })
    }
    expect(fn.peek(1)).toBeUndefined()
  })

  it('waits for loads and writes under way', async () => {
    const l2 = memory()
    const { cache } = setUp({ l2 })
    const answer = Promise.withResolvers<number>()
    const fn = cache.cached(() => answer.promise, { name: 'f' })
    const call = fn()
    let closed = false
    const closing = cache.close().then(() => {
      closed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(closed).toBe(false)
    answer.resolve(7)
    expect(await call).toBe(7)
    await closing
    const again = setUp({ l2 }).cache.cached(async () => 0, { name: 'f' })
    expect(await again()).toBe(7)
  })

  it('gives up after its deadline: callers get ERR_CLOSED, the signal is aborted', async () => {
    const { cache, clock } = setUp()
    let signal: AbortSignal | undefined
    const fn = cache.cached(
      (context) => {
        signal = context.signal
        return new Promise<number>(() => {})
      },
      { context: true },
    )
    const call = expect(fn()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await clock.advance(0)
    const closing = cache.close({ deadline: '2s' })
    await clock.advance(1999)
    expect(signal?.aborted).toBe(false)
    await clock.advance(1)
    await closing
    await call
    expect(signal?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('may be called again: every call waits for the same end', async () => {
    const store = memory()
    const close = vi.fn()
    const { cache } = setUp({
      l2: {
        ...store,
        open(context) {
          const session = store.open(context)
          return Object.assign(session, { close: async () => close() })
        },
      },
    })
    const answer = Promise.withResolvers<number>()
    void cache.cached(() => answer.promise, { name: 'f' })()
    const ended: string[] = []
    const first = cache.close().then(() => ended.push('first'))
    const second = cache
      .namespace('a')
      .close()
      .then(() => ended.push('second'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(ended).toEqual([])
    answer.resolve(1)
    await Promise.all([first, second])
    await cache.close()
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('is what await using does', async () => {
    const { cache } = setUp()
    {
      await using used = cache
      await used.set('k', 1)
    }
    await expect(cache.get('k')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

const HEAD = `
  import { createCache } from 'src/index.ts'
  import { memory } from 'src/stores/memory-store.ts'
  const cache = createCache({ name: 'app', l2: memory(), ttl: '2s', grace: '1h' })
  const fn = cache.cached(async (id) => id, { name: 'f' })
  await fn('a')
  await fn('a')
  await cache.set('k', 1)
`

describe('a process', () => {
  it.each([
    ['after close', `${HEAD} await cache.close(); console.log('done')`],
    ['without close', `${HEAD} console.log('done')`],
    [
      'while nobody waits for a refresh that hangs',
      `
      import { createCache } from 'src/index.ts'
      const cache = createCache({ ttl: '20ms', grace: '1h' })
      let calls = 0
      const fn = cache.cached(() => (calls++ === 0 ? 1 : new Promise(() => {})))
      await fn()
      await new Promise((resolve) => setTimeout(resolve, 100))
      await fn()
      console.log('done')
    `,
    ],
    [
      'with an L2 that is down',
      `
      import { createCache } from 'src/index.ts'
      import { memory } from 'src/stores/memory-store.ts'
      import { chaosStore } from 'src/testing/chaos-store.ts'
      const cache = createCache({ name: 'app', l2: chaosStore(memory(), { throws: 1 }), ttl: '2s' })
      const fn = cache.cached(async (id) => id, { name: 'f' })
      for (let id = 0; id < 10; id++) await fn(id)
      await cache.set('k', 1)
      console.log('done')
    `,
    ],
  ])('exits by itself %s', async (_, program) => {
    const { code, stdout, stderr, ms } = await runSource(program)
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'done\n', stderr: '' })
    // Well below every time-out of the cache that could have held it.
    expect(ms).toBeLessThan(5000)
  })

  it('stays as long as somebody waits for a load, and then gets its time-out', async () => {
    const { code, stdout } = await runSource(`
      import { createCache } from 'src/index.ts'
      const fn = createCache({ ttl: '1m', hardTimeout: '300ms' }).cached(() => new Promise(() => {}))
      await fn().catch((error) => console.log(error.code))
    `)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ERR_TIMEOUT\n' })
  })
})
