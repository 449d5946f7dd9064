import { describe, expect, it } from 'vitest'
import type { FunctionOptions, LoadContext } from '../../src/index.ts'
import { memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, versions, watch } from './fixture.ts'

endWorldsAfterEach()

/** `manyOrigin` that waits: what it was asked for, and how to answer. */
function heldMany() {
  const asked: string[][] = []
  const answers: Array<PromiseWithResolvers<string[]>> = []
  const manyOrigin = (lists: ReadonlyArray<readonly [string]>): Promise<string[]> => {
    asked.push(lists.map(([id]) => id))
    const answer = Promise.withResolvers<string[]>()
    answers.push(answer)
    return answer.promise
  }
  return { asked, answers, manyOrigin }
}

function setUp(options: FunctionOptions<[id: string], string> = {}) {
  const world = aWorld()
  const origin = new Origin((id) => `of ${id}`)
  const cache = world.cache()
  const get = cache.cached((id: string) => origin.load(id), options)
  return { ...world, clock: world.clock, cache, origin, get }
}

describe('many', () => {
  it('gives values in the order of the argument lists, each key loaded once', async () => {
    const { origin, get } = setUp()
    expect(await get.many([['c'], ['a'], ['c'], ['b'], ['a']])).toEqual(
      ['c', 'a', 'c', 'b', 'a'].map((id) => `of ${id}`),
    )
    expect(origin.calls.map(({ id }) => id)).toEqual(['c', 'a', 'b'])
  })

  it('gives nothing for nothing', async () => {
    const { origin, get } = setUp({ manyOrigin: () => expect.fail('nothing is missing') })
    expect(await get.many([])).toEqual([])
    expect(origin.count).toBe(0)
  })

  it('calls manyOrigin once, with the missing ones alone', async () => {
    const asked: unknown[] = []
    const manyOrigin = (lists: ReadonlyArray<readonly [string]>) => {
      asked.push(lists)
      return lists.map(([id]) => `many of ${id}`)
    }
    const { origin, get } = setUp({ manyOrigin })
    await get('b')
    expect(await get.many([['a'], ['b'], ['c'], ['a']])).toEqual([
      'many of a',
      'of b',
      'many of c',
      'many of a',
    ])
    expect(asked).toEqual([[['a'], ['c']]])
    expect(origin.count).toBe(1)
  })

  it('stores what it loads, for single calls too', async () => {
    const { origin, get } = setUp({
      manyOrigin: (lists: string[][]) => lists.map(([id]) => `m${id}`),
    })
    await get.many([['a'], ['b']])
    expect([await get('a'), get.peek('b')]).toEqual(['ma', 'mb'])
    expect(origin.count).toBe(0)
  })

  it('joins single loads under way, and single calls join it', async () => {
    const { asked, answers, manyOrigin } = heldMany()
    const { origin, get } = setUp({ manyOrigin })
    origin.hold()
    const single = watch(get('a'))
    const many = watch(get.many([['a'], ['b']]))
    const joined = watch(get('b'))
    await settle()
    expect(asked).toEqual([['b']])
    await origin.answer('single a')
    answers[0]?.resolve(['many b'])
    await settle()
    expect(many.value).toEqual(['single a', 'many b'])
    expect([single.value, joined.value]).toEqual(['single a', 'many b'])
    expect(origin.count).toBe(1)
  })

  it('rejects with the first error, after all have ended', async () => {
    const { origin, get } = setUp()
    origin.hold()
    const many = watch(get.many([['a'], ['b'], ['c']]))
    await settle()
    origin.calls[2]?.fail(new Error('of c'))
    origin.calls[1]?.fail(new Error('of b'))
    await settle()
    expect(many.state).toBe('pending')
    await origin.answer('of a')
    expect(many.error).toEqual(new Error('of b'))
  })

  it('tells each outcome with settle', async () => {
    const { origin, get } = setUp()
    const error = new Error('of b')
    origin.replyWith((id) => (id === 'b' ? Promise.reject(error) : `of ${id}`))
    expect(await get.many([['a'], ['b']], { settle: true })).toEqual([
      { ok: true, value: 'of a' },
      { ok: false, error },
    ])
  })

  it('never rejects with settle, not even for arguments that make no key', async () => {
    const { get } = setUp()
    const settled = await get.many([[Symbol('no key') as never], ['a']], { settle: true })
    expect(settled).toMatchObject([
      { ok: false, error: { code: 'ERR_UNCACHEABLE_KEY' } },
      { ok: true, value: 'of a' },
    ])
  })

  it('fails only the key whose tags cannot be named', async () => {
    const { get } = setUp({
      tags: (id) => {
        if (id === 'b') throw new Error('no tags')
        return [id]
      },
    })
    const settled = await get.many([['a'], ['b'], ['c']], { settle: true })
    expect(settled.map(({ ok }) => ok)).toEqual([true, false, true])
  })

  it('fails only the key whose value is an Error, and stores the others', async () => {
    const error = new Error('of b')
    const { get } = setUp({ manyOrigin: () => ['of a', error, 'of c'] })
    expect(await get.many([['a'], ['b'], ['c']], { settle: true })).toEqual([
      { ok: true, value: 'of a' },
      { ok: false, error },
      { ok: true, value: 'of c' },
    ])
    expect(['a', 'b', 'c'].map((id) => get.peek(id))).toEqual(['of a', undefined, 'of c'])
  })

  it.each([
    ['too few values', () => ['only one']],
    ['too many values', () => ['a', 'b', 'c']],
    ['no array', () => 'ab'],
  ])('rejects with a remedy when manyOrigin returns %s', async (_, manyOrigin) => {
    const { get } = setUp({ manyOrigin: manyOrigin as () => string[] })
    await expect(get.many([['a'], ['b']])).rejects.toThrow(/one value per argument list/)
    expect([get.peek('a'), get.peek('b')]).toEqual([undefined, undefined])
  })

  it('fails all keys when manyOrigin fails', async () => {
    const error = new Error('down')
    const { get } = setUp({ manyOrigin: () => Promise.reject(error) })
    expect(await get.many([['a'], ['b']], { settle: true })).toEqual([
      { ok: false, error },
      { ok: false, error },
    ])
  })

  it('serves what is stale at once and refreshes it with one call of manyOrigin', async () => {
    const { asked, answers, manyOrigin } = heldMany()
    const { clock, get } = setUp({ manyOrigin, grace: '1h' })
    const first = get.many([['a'], ['b']])
    await settle()
    answers[0]?.resolve(['a1', 'b1'])
    await first
    await clock.advance('11s')
    expect(await get.many([['a'], ['b']])).toEqual(['a1', 'b1'])
    await settle()
    expect(asked).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    answers[1]?.resolve(['a2', 'b2'])
    await settle()
    expect(await get.many([['a'], ['b']])).toEqual(['a2', 'b2'])
  })

  it('gives manyOrigin the context that the function asked for', async () => {
    const contexts: LoadContext[] = []
    const world = aWorld()
    const cache = world.cache()
    const get = cache.cached((_: LoadContext<string>, id: string) => id, {
      context: true,
      manyOrigin: (context: LoadContext, lists: string[][]) => {
        contexts.push(context)
        context.setTags(['batch'])
        return lists.map(([id]) => `m${id}`)
      },
    })
    expect(await get.many([['a'], ['b']])).toEqual(['ma', 'mb'])
    expect(contexts[0]?.signal.aborted).toBe(false)
    await cache.invalidateTag('batch')
    expect([get.peek('a'), get.peek('b')]).toEqual([undefined, undefined])
  })

  it('is ended by hardTimeout, and the signal of manyOrigin with it', async () => {
    const world = aWorld()
    let signal: AbortSignal | undefined
    const get = world.cache().cached((_: LoadContext<string>, id: string) => id, {
      context: true,
      hardTimeout: '3s',
      manyOrigin: (context: LoadContext) => {
        signal = context.signal
        return new Promise(() => {})
      },
    })
    const code = codeOf(get.many([['a'], ['b']]))
    await world.clock.advance('3s')
    expect(await code).toBe('ERR_TIMEOUT')
    expect(signal?.aborted).toBe(true)
  })

  it('reads L2 once, and only for what L1 does not have', async () => {
    const world = aWorld()
    const store = chaosStore(memory())
    const other = world.cache({ l2: store }).cached(versions().load, { name: 'fn' })
    await other.many([['a'], ['b'], ['c']])
    await settle()
    const origin = new Origin(() => expect.fail('everything is in L2'))
    const get = world.cache({ l2: store }).cached(origin.load, { name: 'fn' })
    await get('a')
    const { operations } = store.counts
    expect(await get.many([['a'], ['b'], ['c'], ['b']])).toEqual(['v1', 'v2', 'v3', 'v2'])
    expect(store.counts.operations).toBe(operations + 1)
    expect(get.stats().hits).toMatchObject({ l1: 1, l2: 4 })
  })
})

describe('getMany', () => {
  it('gives fresh values in the order of the keys, undefined where there is none', async () => {
    const cache = aWorld().cache()
    await cache.set('a', 1)
    await cache.set('b', 2)
    expect(await cache.getMany(['b', 'x', 'a', 'b'])).toEqual([2, undefined, 1, 2])
  })

  it('reads L2 once, without leasing, and keeps what it finds', async () => {
    const world = aWorld()
    const store = chaosStore(memory())
    const [one, other] = [world.cache({ l2: store }), world.cache({ l2: store })]
    await one.set('a', new Map([['k', 1]]))
    await one.set('b', 0)
    const { operations } = store.counts
    const values = [new Map([['k', 1]]), 0, undefined, 0]
    expect(await other.getMany(['a', 'b', 'x', 'b'])).toEqual(values)
    expect(store.counts.operations).toBe(operations + 1)
    expect(await other.get('a')).toEqual(values[0])
    expect(store.counts.operations).toBe(operations + 1)
    // A lease on the missing key would make a load elsewhere wait.
    const load = watch(one.getOrSet('x', () => 'loaded'))
    await settle()
    expect(load.value).toBe('loaded')
  })

  it('does not serve what is stale', async () => {
    const world = aWorld()
    const cache = world.cache({ grace: '1h' })
    await cache.set('a', 1)
    await world.clock.advance('10s')
    expect(await cache.get('a')).toBeUndefined()
  })
})
