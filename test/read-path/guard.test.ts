import pLimit from 'p-limit'
import { describe, expect, it } from 'vitest'
import { RUNNER, type Runner } from '../../src/contracts/runner.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, versions, watch } from './fixture.ts'

endWorldsAfterEach()

/** A Runner as the library's own ones are: branded, and called with the signal. */
function runner(run: Runner): Runner {
  return Object.assign(run, { [RUNNER]: true as const })
}

describe('a guard', () => {
  it('may be a limiter of another library, such as p-limit', async () => {
    const origin = new Origin()
    const get = aWorld()
      .cache()
      .cached(origin.load, { guard: pLimit(2) })
    const calls = ['a', 'b', 'c'].map((id) => watch(get(id)))
    await settle()
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b'])
    await origin.answer('first')
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    await origin.answer('second')
    await origin.answer('third')
    expect(calls.map(({ value }) => value)).toEqual(['first', 'second', 'third'])
  })

  it('is passed once by all callers of one load, and never by hits', async () => {
    let passed = 0
    const guard = runner(async (task) => {
      passed++
      return task(new AbortController().signal)
    })
    const origin = versions()
    const get = aWorld().cache().cached(origin.load, { guard })
    await Promise.all([get('a'), get('a'), get('a')])
    await get('a')
    expect([passed, origin.count]).toEqual([1, 1])
  })

  it('is handed the signal of the load', async () => {
    let signal: AbortSignal | undefined
    const guard = runner(async (task, options) => {
      signal = options?.signal
      return task(options?.signal as AbortSignal)
    })
    const world = aWorld()
    const get = world.cache().cached(new Origin().load, { guard, hardTimeout: '1s' })
    const call = watch(get('a'))
    await world.clock.advance('1s')
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(signal?.aborted).toBe(true)
  })

  it('that refuses is like an origin that fails: a stale value is served', async () => {
    let open = false
    const guard = runner(async (task) => {
      if (open) throw new Error('open')
      return task(new AbortController().signal)
    })
    const world = aWorld()
    const origin = versions()
    const get = world.cache({ grace: '1h' }).cached(origin.load, { guard, softTimeout: '1s' })
    await get('a')
    open = true
    await world.clock.advance('11s')
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'stale' })
    await expect(get('b')).rejects.toThrow('open')
    expect(origin.count).toBe(1)
  })

  it('is passed once by a load of many', async () => {
    let passed = 0
    const guard = runner(async (task) => {
      passed++
      return task(new AbortController().signal)
    })
    const manyOrigin = async (lists: ReadonlyArray<readonly [id?: string | undefined]>) =>
      lists.map(([id]) => `many ${id}`)
    const get = aWorld().cache().cached(versions().load, { guard, manyOrigin })
    expect(await get.many([['a'], ['b']])).toEqual(['many a', 'many b'])
    expect(passed).toBe(1)
  })
})
