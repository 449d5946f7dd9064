import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import type { FunctionOptions } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle } from './fixture.ts'

endWorldsAfterEach()

const request = new AsyncLocalStorage<string>()

/** A function wrapped in the context `module`; its values are the contexts its origin ran in. */
function setUp(options: FunctionOptions<[id: string], string> = {}, maxLoads?: number) {
  const world = aWorld()
  const cache = world.cache(maxLoads === undefined ? {} : { maxLoads })
  const turns: Array<() => void> = []
  const get = request.run('module', () =>
    cache.cached(async (_id: string) => {
      if (maxLoads !== undefined) await new Promise<void>((resolve) => turns.push(resolve))
      return String(request.getStore())
    }, options),
  )
  return { clock: world.clock, cache, get, turns }
}

describe('the async context', () => {
  it('of the origin is that of the wrapping, not of the first caller', async () => {
    const { get } = setUp()
    expect(await request.run('first', () => get('a'))).toBe('module')
    expect(await request.run('second', () => get('b'))).toBe('module')
  })

  it('of a refresh in the background is that of the wrapping', async () => {
    const { clock, get } = setUp({ grace: '1h' })
    await get('a')
    await clock.advance('11s')
    await request.run('reader', () => get('a'))
    await settle()
    expect(get.peek('a')).toBe('module')
  })

  it('of a batch is that of the wrapping', async () => {
    const { get } = setUp({
      manyOrigin: (lists: string[][]) => lists.map(() => String(request.getStore())),
    })
    const values = await request.run('caller', () => get.many([['a'], ['b']]))
    expect(values).toEqual(['module', 'module'])
  })

  it('of a load that waited in line is that of the wrapping', async () => {
    const { get, turns } = setUp({}, 1)
    const calls = ['first', 'second'].map((name) => request.run(name, () => get(name)))
    await settle()
    turns[0]?.()
    await settle()
    turns[1]?.()
    expect(await Promise.all(calls)).toEqual(['module', 'module'])
  })

  it('of getOrSet is that in which the cache was made', async () => {
    const cache = request.run('module', () => aWorld().cache())
    const load = () => String(request.getStore())
    expect(await request.run('first', () => cache.getOrSet('a', load))).toBe('module')
    expect(await request.run('second', () => cache.getOrSet('b', load))).toBe('module')
  })

  it('of a caller is its own again after the call', async () => {
    const { get } = setUp()
    await request.run('caller', async () => {
      await get('a')
      expect(request.getStore()).toBe('caller')
    })
  })
})
