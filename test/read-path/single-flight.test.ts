import { describe, expect, it } from 'vitest'
import { aWorld, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

describe('single-flight', () => {
  it('calls the origin once for a hundred callers', async () => {
    const { origin, get } = setUp()
    const calls = Array.from({ length: 100 }, () => get('a'))
    await settle()
    await origin.answer('value')
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['value']))
    expect(origin.count).toBe(1)
  })

  it('calls it once for each key', async () => {
    const { origin, get } = setUp()
    const calls = ['a', 'b', 'a', 'b'].map((id) => get(id))
    await settle()
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b'])
    await origin.answer('of a')
    await origin.answer('of b')
    expect(await Promise.all(calls)).toEqual(['of a', 'of b', 'of a', 'of b'])
  })

  it('gives all who wait for a failing load the same error', async () => {
    const { origin, get } = setUp()
    const calls = Array.from({ length: 10 }, () => watch(get('a')))
    const error = new Error('down')
    await settle()
    await origin.fail(error)
    expect(calls.every((call) => call.error === error)).toBe(true)
    expect(origin.count).toBe(1)
  })

  it('begins anew after a failure', async () => {
    const { origin, get } = setUp()
    const first = watch(get('a'))
    await settle()
    await origin.fail(new Error('down'))
    const second = watch(get('a'))
    await settle()
    await origin.answer('up')
    expect([first.state, second.value]).toEqual(['rejected', 'up'])
  })

  it('lets refresh and reload join a load that was forced', async () => {
    const { origin, get } = setUp()
    const calls = [get.refresh('a'), get.with({ reload: true })('a'), get.refresh('a')]
    await settle()
    await origin.answer('value')
    expect(await Promise.all(calls)).toEqual(['value', 'value', 'value'])
    expect(origin.count).toBe(1)
  })

  it('lets plain callers join a load that was forced', async () => {
    const { origin, get } = setUp()
    const calls = [get.refresh('a'), get('a')]
    await settle()
    await origin.answer('value')
    expect(await Promise.all(calls)).toEqual(['value', 'value'])
    expect(origin.count).toBe(1)
  })

  it('begins a new load for a reload, which must not get what was asked for before it', async () => {
    const { origin, get } = setUp()
    const plain = watch(get('a'))
    await settle()
    const reload = watch(get.refresh('a'))
    await settle()
    expect(origin.count).toBe(2)
    origin.calls[1]?.answer('newer')
    await settle()
    await origin.answer('older')
    expect([plain.value, reload.value]).toEqual(['older', 'newer'])
    expect(get.peek('a')).toBe('newer')
  })

  it('shares one load between a stale refresh and those who come after the grace', async () => {
    const { clock, origin, get } = setUp({ grace: '5s' })
    const first = watch(get('a'))
    await settle()
    await origin.answer('old')
    await clock.advance('11s')
    expect([first.value, await get('a')]).toEqual(['old', 'old'])
    await clock.advance('5s')
    const late = watch(get('a'))
    await settle()
    expect(late.state).toBe('pending')
    await origin.answer('new')
    expect(late.value).toBe('new')
    expect(origin.count).toBe(2)
  })

  it('keeps the old value when a reload fails', async () => {
    const { origin, get } = setUp()
    const first = watch(get('a'))
    await settle()
    await origin.answer('old')
    const reload = watch(get.refresh('a'))
    await settle()
    await origin.fail(new Error('down'))
    expect([first.value, reload.state, await get('a')]).toEqual(['old', 'rejected', 'old'])
  })

  it('is one for getOrSet too, whichever caller brought the origin', async () => {
    const cache = aWorld().cache()
    const [one, other] = [new Origin(), new Origin()]
    const calls = [cache.getOrSet('k', () => one.load()), cache.getOrSet('k', () => other.load())]
    await settle()
    await one.answer('from the first')
    expect(await Promise.all(calls)).toEqual(['from the first', 'from the first'])
    expect(other.count).toBe(0)
  })
})

describe('the signal of a caller', () => {
  it('ends its own wait with ERR_ABORTED and leaves the others alone', async () => {
    const { origin, get } = setUp()
    const controller = new AbortController()
    const leaving = watch(get.with({ signal: controller.signal })('a'))
    const staying = watch(get('a'))
    await settle()
    controller.abort(new Error('closed the tab'))
    await settle()
    expect(leaving.error).toMatchObject({ code: 'ERR_ABORTED', cause: controller.signal.reason })
    expect(staying.state).toBe('pending')
    expect(origin.calls[0]?.context?.signal.aborted).toBe(false)
    await origin.answer('value')
    expect(staying.value).toBe('value')
  })

  it("aborts the origin's signal once every caller has left", async () => {
    const { origin, get } = setUp()
    const controllers = [new AbortController(), new AbortController()]
    const calls = controllers.map(({ signal }) => watch(get.with({ signal })('a')))
    await settle()
    const signal = origin.calls[0]?.context?.signal
    controllers[0]?.abort()
    expect(signal?.aborted).toBe(false)
    controllers[1]?.abort()
    expect(signal?.aborted).toBe(true)
    await settle()
    expect(calls.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
  })

  it('lets the next caller begin a new load after every other has left', async () => {
    const { origin, get } = setUp()
    const controller = new AbortController()
    const left = watch(get.with({ signal: controller.signal })('a'))
    await settle()
    controller.abort()
    const next = watch(get('a'))
    await settle()
    origin.calls[1]?.answer('second')
    await settle()
    await origin.answer('of nobody')
    expect([left.state, next.value, get.peek('a')]).toEqual(['rejected', 'second', 'second'])
  })

  it('rejects at once when it is aborted before the call, without calling the origin', async () => {
    const { origin, get } = setUp()
    await expect(get.with({ signal: AbortSignal.abort() })('a')).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(origin.count).toBe(0)
  })

  it('does nothing after the call has ended', async () => {
    const { origin, get } = setUp()
    const controller = new AbortController()
    const call = watch(get.with({ signal: controller.signal })('a'))
    await settle()
    const { signal } = origin.calls[0]?.context ?? {}
    await origin.answer('value')
    controller.abort()
    await settle()
    expect([call.value, signal?.aborted, get.peek('a')]).toEqual(['value', false, 'value'])
  })

  it('is an option of getOrSet', async () => {
    const cache = aWorld().cache()
    const controller = new AbortController()
    const origin = new Origin()
    const call = watch(cache.getOrSet('k', () => origin.load(), { signal: controller.signal }))
    await settle()
    controller.abort()
    await settle()
    expect(call.error).toMatchObject({ code: 'ERR_ABORTED' })
  })
})

function setUp(options: { grace?: '5s' } = {}) {
  const world = aWorld()
  const origin = new Origin()
  const cache = world.cache(options)
  const get = cache.cached(origin.loadWithContext, { context: true })
  return { clock: world.clock, cache, origin, get }
}
