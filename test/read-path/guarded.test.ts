import pLimit from 'p-limit'
import { describe, expect, it } from 'vitest'
import { compose, fallback, guard, hedge, type LoadContext, retry } from '../../src/index.ts'
import { FakeBreaker, FakeSource } from '../policies/guard/gates.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, versions, watch } from './fixture.ts'

endWorldsAfterEach()

const NOW = { backoff: { initial: 0, max: 0 } } as const
const down = new Error('down')

describe('hits', () => {
  it('never touch the guard', async () => {
    const breaker = new FakeBreaker()
    const bulkhead = new FakeSource(1)
    const g = guard({ breaker, bulkhead })
    const get = aWorld().cache().cached(versions().load, { guard: g })
    await get('a')
    breaker.openFor(1000)
    for (let i = 0; i < 100; i++) expect(await get('a')).toBe('v1')
    expect([g.stats().calls, breaker.log, bulkhead.costs]).toEqual([1, ['succeeded'], [undefined]])
  })
})

describe('misses at the same time', () => {
  it('share one permit and one probe', async () => {
    const breaker = new FakeBreaker()
    const bulkhead = new FakeSource(1)
    const origin = new Origin()
    const get = aWorld().cache().cached(origin.load, { guard: { breaker, bulkhead } })
    const calls = Array.from({ length: 50 }, () => watch(get('a')))
    await settle()
    expect([origin.count, bulkhead.held, bulkhead.waiting]).toEqual([1, 1, []])
    await origin.answer('value')
    expect(calls.every(({ value }) => value === 'value')).toBe(true)
    expect(breaker.log).toEqual(['succeeded'])
  })
})

describe('options inline', () => {
  it('make one guard per function, named after it, with the clock of the cache', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world
      .cache()
      .cached(origin.load, { name: 'partner', guard: { timeout: '1s', retry: { attempts: 2 } } })
    const call = watch(get('a'))
    await world.clock.advance('1s')
    await world.clock.advance('50ms')
    await world.clock.advance('1s')
    expect(origin.count).toBe(2)
    expect(call.error).toMatchObject({
      code: 'ERR_TIMEOUT',
      message: expect.stringContaining("guard 'partner'"),
    })
  })

  it('keep the state of their breaker from call to call', async () => {
    const world = aWorld()
    const origin = new Origin(() => {
      throw down
    })
    const breaker = { window: { type: 'consecutive', failures: 2 } } as const
    const get = world.cache().cached(origin.load, { guard: { breaker } })
    for (const id of ['a', 'b', 'c', 'd']) await expect(get(id)).rejects.toBeDefined()
    expect(origin.count).toBe(2)
    await expect(get('e')).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
  })

  it('are refused by getOrSet, where they would be made anew each time', async () => {
    const cache = aWorld().cache()
    const call = cache.getOrSet('k', () => 1, { guard: { retry: {} } as never })
    await expect(call).rejects.toThrow('guard of getOrSet() must be made once')
    expect(await cache.getOrSet('k', () => 1, { guard: guard({ retry: {} }) })).toBe(1)
  })
})

describe('an open breaker', () => {
  it('serves what is stale before the fallback is asked', async () => {
    const world = aWorld()
    const breaker = new FakeBreaker()
    const asked: unknown[] = []
    const origin = versions()
    const get = world.cache({ grace: '1h' }).cached(origin.load, {
      softTimeout: '1s',
      guard: { breaker, fallback: (error) => asked.push(error) },
    })
    await get('a')
    breaker.openFor(5000)
    await world.clock.advance('11s')
    expect(await get.detail('a')).toMatchObject({ value: 'v1', outcome: 'stale-error' })
    expect([asked, origin.count]).toEqual([[], 1])
    expect(await get.detail('b')).toMatchObject({ value: 1, source: 'fallback' })
    expect(asked).toEqual([breaker.open])
  })

  it('does not count as a call of the origin', async () => {
    const breaker = new FakeBreaker()
    breaker.openFor(5000)
    const cache = aWorld().cache()
    const told: unknown[] = []
    cache.on('origin', (event) => told.push(event))
    const get = cache.cached(versions().load, { guard: { breaker } })
    await expect(get('a')).rejects.toBe(breaker.open)
    expect([told, cache.stats().originCalls, cache.stats().originErrors]).toEqual([[], 0, 0])
  })
})

describe('a spent retry budget', () => {
  it('serves what is stale before the fallback is asked', async () => {
    const world = aWorld()
    const origin = versions()
    const g = guard({ retry: { budget: 0, ...NOW }, fallback: 'instead' })
    const get = world.cache({ grace: '1h' }).cached(origin.load, { guard: g, softTimeout: '1s' })
    await get('a')
    origin.failWith(down)
    await world.clock.advance('11s')
    expect(await get.detail('a')).toMatchObject({ value: 'v1', outcome: 'stale-error' })
    expect(await get('b')).toBe('instead')
    expect(g.stats()).toMatchObject({ retriesDenied: 2, fallbacks: 1 })
  })
})

describe('a value of the fallback', () => {
  it('says so, goes to all who wait, and is not stored', async () => {
    const origin = new Origin()
    const cache = aWorld().cache()
    const get = cache.cached(origin.load, { guard: { fallback: 'instead' } })
    const calls = [watch(get.detail('a')), watch(get.detail('a'))]
    await settle()
    await origin.fail(down)
    const outcome = { value: 'instead', source: 'fallback', outcome: 'fallback', ageMs: 0 }
    expect(calls.map(({ value }) => value)).toMatchObject([outcome, outcome])
    expect([get.peek('a'), cache.stats().entries]).toEqual([undefined, 0])
    origin.replyWith(() => 'up again')
    expect(await get('a')).toBe('up again')
    expect(cache.stats()).toMatchObject({ misses: 3, originCalls: 2, originErrors: 1, stale: 0 })
  })

  it('may come later, and is told of the arguments', async () => {
    const origin = versions()
    origin.failWith(down)
    const get = aWorld()
      .cache()
      .cached(origin.load, {
        guard: {
          fallback: async (error, { args }) => {
            await settle()
            return `${args[0]}: ${(error as Error).message}`
          },
        },
      })
    expect(await get('tea')).toBe('tea: down')
  })

  it('that fails is the error of the call', async () => {
    const origin = versions()
    origin.failWith(down)
    const get = aWorld()
      .cache()
      .cached(origin.load, {
        guard: {
          fallback: () => {
            throw new Error('nothing left')
          },
        },
      })
    await expect(get('a')).rejects.toThrow('nothing left')
  })

  it('does not come while its load is refreshed in the background', async () => {
    const world = aWorld()
    const origin = versions()
    const g = guard({ fallback: 'instead' })
    const get = world.cache({ grace: '1h' }).cached(origin.load, { guard: g })
    await get('a')
    origin.failWith(down)
    await world.clock.advance('11s')
    expect(await get('a')).toBe('v1')
    await settle()
    expect([origin.count, g.stats().fallbacks]).toEqual([2, 0])
  })

  it('does not come where nobody waits any more, stale or not', async () => {
    const world = aWorld()
    const origin = versions()
    const g = guard({ fallback: 'instead' })
    const get = world.cache({ grace: '2s' }).cached(origin.load, { guard: g })
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    expect(await get('a')).toBe('v1')
    await world.clock.advance('3s')
    await origin.fail(down)
    expect([origin.count, g.stats().fallbacks]).toEqual([2, 0])
  })

  it('answers a forced load, too, which takes nothing stale', async () => {
    const world = aWorld()
    const origin = versions()
    const cache = world.cache({ grace: '1h' })
    const get = cache.cached(origin.load, { guard: { fallback: 'instead' } })
    await get('a')
    origin.failWith(down)
    await world.clock.advance('11s')
    const forced = watch(get.refresh('a'))
    await settle()
    expect(forced.value).toBe('instead')
    expect((await get.detail('a')).source).toBe('stale')
  })

  it('stands in for an error that is kept for errorTtl', async () => {
    const origin = versions()
    origin.failWith(down)
    const get = aWorld()
      .cache()
      .cached(origin.load, { errorTtl: '1m', guard: { fallback: 'instead' } })
    expect(await get('a')).toBe('instead')
    expect(await get.detail('a')).toMatchObject({ value: 'instead', source: 'fallback' })
    expect(origin.count).toBe(1)
  })

  it('is known inside of composed Runners as well', async () => {
    const world = aWorld()
    const origin = versions()
    const run = compose(pLimit(5), fallback('instead'), retry({ attempts: 1 }))
    const get = world.cache({ grace: '1h' }).cached(origin.load, { guard: run })
    origin.failWith(down)
    expect(await get('a')).toBe('instead')
    expect(get.peek('a')).toBe(undefined)
    const outer = compose(fallback('outer'), retry({ attempts: 1 }))
    const other = world
      .cache({ grace: '1h' })
      .cached(origin.load, { guard: outer, softTimeout: '1s' })
    expect(await other.detail('a')).toMatchObject({ value: 'outer', source: 'fallback' })
  })
})

describe('attempts of one load', () => {
  it('each have a signal, and only what the last one says counts', async () => {
    const world = aWorld()
    const contexts: LoadContext<string>[] = []
    const origin = async (context: LoadContext<string>): Promise<string> => {
      contexts.push(context)
      if (contexts.length > 1) return 'second'
      context.skip()
      await new Promise((_, reject) => context.signal.addEventListener('abort', reject))
      return 'first'
    }
    const get = world
      .cache()
      .cached(origin, { context: true, guard: { timeout: '1s', retry: { attempts: 2, ...NOW } } })
    const call = watch(get())
    await world.clock.advance('1s')
    expect(call.value).toBe('second')
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expect(get.peek()).toBe('second')
  })

  it('that were given up do not speak for the one that answers at the same moment', async () => {
    const world = aWorld()
    const answers: Array<(value: string) => void> = []
    const origin = async (context: LoadContext<string>): Promise<string> => {
      if (answers.length === 0) context.skip()
      return new Promise((resolve) => answers.push(resolve))
    }
    const get = world
      .cache()
      .cached(origin, { context: true, guard: { timeout: '1s', retry: { attempts: 2, ...NOW } } })
    const call = watch(get())
    await world.clock.advance('1s')
    answers[1]?.('second')
    answers[0]?.('first')
    await settle()
    expect([call.value, get.peek()]).toEqual(['second', 'second'])
  })

  it('are calls of the origin in the stats', async () => {
    const origin = new Origin((_, count) => {
      if (count < 3) throw down
      return 'third'
    })
    const get = aWorld()
      .cache()
      .cached(origin.load, { guard: { retry: NOW } })
    expect(await get('a')).toBe('third')
    expect(get.stats()).toMatchObject({ originCalls: 3, originErrors: 0, misses: 1 })
  })

  it('end when the last caller has left', async () => {
    const world = aWorld()
    const origin = new Origin()
    const g = guard({ clock: world.clock, retry: { backoff: { initial: '1s', jitter: 'none' } } })
    const get = world.cache().cached(origin.load, { guard: g })
    const controller = new AbortController()
    const call = watch(get.with({ signal: controller.signal })('a'))
    await settle()
    await origin.fail(down)
    controller.abort()
    await settle()
    expect(call.error).toMatchObject({ code: 'ERR_ABORTED' })
    expect([origin.count, g.stats().aborted, world.clock.pending]).toEqual([1, 1, 0])
  })
})

describe('copies of one load that answer at the same moment', () => {
  it('are told apart: what the second says about its result does not hold for that of the first', async () => {
    const world = aWorld()
    const answers: Array<(value: string) => void> = []
    const origin = async (context: LoadContext<string>): Promise<string> => {
      if (answers.length === 1) context.skip()
      return new Promise((resolve) => answers.push(resolve))
    }
    const get = world
      .cache()
      .cached(origin, { context: true, guard: { hedge: { after: '10ms' }, idempotent: true } })
    const call = watch(get())
    await world.clock.advance('10ms')
    answers[0]?.('first')
    answers[1]?.('second')
    await settle()
    expect([call.value, get.peek()]).toEqual(['first', 'first'])
  })
})

describe('a load that is given up while it queues in a limiter of another library', () => {
  it('never calls its origin', async () => {
    const origin = new Origin()
    const get = aWorld()
      .cache()
      .cached(origin.load, { guard: pLimit(1) })
    const first = watch(get('a'))
    const controller = new AbortController()
    const second = watch(get.with({ signal: controller.signal })('b'))
    await settle()
    controller.abort()
    await settle()
    expect(second.error).toMatchObject({ code: 'ERR_ABORTED' })
    await origin.answer('value')
    expect([first.value, origin.count]).toEqual(['value', 1])
  })
})

describe('a fallback inside of the guard', () => {
  it('that has failed itself does not make the value of the next attempt one of its own', async () => {
    const world = aWorld()
    const origin = new Origin((_, count) => {
      if (count === 1) throw down
      return 'real'
    })
    const within = fallback(() => {
      throw new Error('nothing left')
    })
    const run = compose(retry({ attempts: 2, clock: world.clock, ...NOW }), within)
    const get = world.cache().cached(origin.load, { guard: run })
    expect(await get.detail('a')).toMatchObject({ value: 'real', source: 'origin' })
    expect(get.peek('a')).toBe('real')
  })

  it('is overtaken by a real value that comes while it makes up its mind', async () => {
    const world = aWorld()
    const origin = new Origin()
    const within = fallback(() => new Promise(() => {}), { clock: world.clock })
    const run = compose(hedge({ after: '10ms', idempotent: true, clock: world.clock }), within)
    const get = world.cache().cached(origin.load, { guard: run })
    const call = watch(get.detail('a'))
    await world.clock.advance('10ms')
    origin.calls[1]?.fail(down)
    await settle()
    origin.calls[0]?.answer('real')
    await settle()
    expect(call.value).toMatchObject({ value: 'real', source: 'origin' })
    expect(get.peek('a')).toBe('real')
  })

  it('answers each time: errorTtl keeps no error that it has stood in for', async () => {
    const origin = versions()
    origin.failWith(down)
    const run = compose(pLimit(5), fallback('instead'))
    const get = aWorld().cache().cached(origin.load, { errorTtl: '1m', guard: run })
    expect(await get('a')).toBe('instead')
    expect(await get('a')).toBe('instead')
  })
})

describe('a load of many', () => {
  it('takes what a fallback inside of the guard gives for each key', async () => {
    const manyOrigin = async () => {
      throw down
    }
    const run = compose(pLimit(5), fallback('instead'))
    const get = aWorld().cache().cached(versions().load, { guard: run, manyOrigin })
    expect(await get.many([['a'], ['b']])).toEqual(['instead', 'instead'])
    expect(get.peek('a')).toBe(undefined)
  })

  it('passes the guard once, and falls back for each key', async () => {
    const g = guard({
      retry: NOW,
      fallback: (_, { args }) => `no ${args[0]}`,
    })
    let calls = 0
    const manyOrigin = async (lists: ReadonlyArray<readonly [id?: string | undefined]>) => {
      calls++
      if (calls < 4) throw down
      return lists.map(([id]) => `many ${id}`)
    }
    const get = aWorld().cache().cached(versions().load, { guard: g, manyOrigin })
    expect(await get.many([['a'], ['b']])).toEqual(['no a', 'no b'])
    expect([calls, g.stats().calls]).toEqual([3, 1])
    expect(await get.many([['a'], ['b']])).toEqual(['many a', 'many b'])
  })
})
