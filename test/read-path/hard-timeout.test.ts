import { describe, expect, it } from 'vitest'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

describe('hardTimeout', () => {
  it('ends the wait of every caller with ERR_TIMEOUT', async () => {
    const world = aWorld()
    const get = world.cache().cached(new Origin().load, { hardTimeout: '3s' })
    const calls = [watch(get('a')), watch(get('a'))]
    await world.clock.advance(2999)
    expect(calls.map((call) => call.state)).toEqual(['pending', 'pending'])
    await world.clock.advance(1)
    for (const call of calls) {
      expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT', retryable: true })
    }
  })

  it('is 30 s unless told otherwise', async () => {
    const world = aWorld()
    const call = watch(world.cache().cached(new Origin().load)('a'))
    await world.clock.advance(29_999)
    expect(call.state).toBe('pending')
    await world.clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
  })

  it('may be infinite', async () => {
    const world = aWorld()
    const origin = new Origin()
    const call = watch(world.cache().cached(origin.load, { hardTimeout: Infinity })('a'))
    await world.clock.advance('30d')
    await origin.answer('at last')
    expect(call.value).toBe('at last')
  })

  it('serves the stale value instead while there is one', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const options = { grace: '1h', softTimeout: '1m', hardTimeout: '3s' } as const
    const get = world.cache().cached(origin.load, options)
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    const call = watch(get.detail('a'))
    await world.clock.advance('3s')
    expect(call.value).toMatchObject({ value: 'old', source: 'stale', outcome: 'stale-timeout' })
  })

  it('counts as a failure of the origin for graceBackoff', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const options = { grace: '1h', hardTimeout: '3s', graceBackoff: '10s' } as const
    const get = world.cache().cached(origin.load, options)
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    await get('a')
    await world.clock.advance('3s')
    expect(await get('a')).toBe('old')
    await settle()
    expect(origin.count).toBe(2)
  })

  it("aborts the origin's signal", async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache().cached(origin.loadWithContext, { context: true, hardTimeout: '3s' })
    const code = codeOf(get('a'))
    await settle()
    const { signal } = origin.calls[0]?.context ?? {}
    expect(signal?.aborted).toBe(false)
    await world.clock.advance('3s')
    expect(await code).toBe('ERR_TIMEOUT')
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toMatchObject({ code: 'ERR_TIMEOUT' })
  })

  it('drops what the origin brings later', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache().cached(origin.load, { hardTimeout: '3s' })
    const code = codeOf(get('a'))
    await world.clock.advance('3s')
    await code
    await origin.answer('too late')
    expect(get.peek('a')).toBeUndefined()
  })

  it('lets the next caller begin a new load at once', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache().cached(origin.load, { hardTimeout: '3s' })
    const first = codeOf(get('a'))
    await world.clock.advance('3s')
    await first
    const second = watch(get('a'))
    await settle()
    expect(origin.count).toBe(2)
    origin.calls[1]?.answer('second')
    await settle()
    expect(second.value).toBe('second')
    await origin.answer('first, too late')
    expect(await get('a')).toBe('second')
  })

  it('leaves nobody with an unhandled rejection when the origin fails later', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache().cached(origin.load, { hardTimeout: '3s' })
    const code = codeOf(get('a'))
    await world.clock.advance('3s')
    expect(await code).toBe('ERR_TIMEOUT')
    await origin.fail(new Error('too late'))
    expect(origin.waiting).toEqual([])
  })

  it('ends a refresh that nobody waits for', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const get = world.cache().cached(origin.loadWithContext, {
      context: true,
      grace: '1h',
      hardTimeout: '3s',
      graceBackoff: 0,
    })
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    await get('a')
    await world.clock.advance('3s')
    expect(origin.calls[1]?.context?.signal.aborted).toBe(true)
    await get('a')
    await settle()
    expect(origin.count).toBe(3)
  })
})

describe('completeInBackground', () => {
  it('lets the origin go on and stores what it brings', async () => {
    const { clock, origin, get } = slowly()
    const code = codeOf(get('a'))
    await clock.advance('3s')
    expect(await code).toBe('ERR_TIMEOUT')
    expect(origin.calls[0]?.context?.signal.aborted).toBe(false)
    await clock.advance('5s')
    await origin.answer('slow')
    expect(await get('a')).toBe('slow')
    expect(origin.count).toBe(1)
  })

  it('gives later callers a wait of their own for the same load', async () => {
    const { clock, origin, get } = slowly()
    const first = watch(get('a'))
    await clock.advance('3s')
    expect(first.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    await clock.advance('10s')
    const second = watch(get('a'))
    await clock.advance(2999)
    expect(second.state).toBe('pending')
    await origin.answer('slow')
    expect(second.value).toBe('slow')
    expect(origin.count).toBe(1)
  })

  it('ends the wait of those later callers too', async () => {
    const { clock, origin, get } = slowly()
    const first = watch(get('a'))
    await clock.advance('5s')
    const second = watch(get('a'))
    await clock.advance('3s')
    expect([first.error, second.error]).toMatchObject([
      { code: 'ERR_TIMEOUT' },
      { code: 'ERR_TIMEOUT' },
    ])
    expect(origin.count).toBe(1)
  })

  it('ends the wait of a caller that asked for a reload', async () => {
    const { clock, get } = slowly()
    const call = watch(get.refresh('a'))
    await clock.advance('3s')
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
  })

  it('lets the load go on after its last caller has left', async () => {
    const { origin, get } = slowly()
    const controller = new AbortController()
    const code = codeOf(get.with({ signal: controller.signal })('a'))
    await settle()
    controller.abort()
    expect(await code).toBe('ERR_ABORTED')
    expect(origin.calls[0]?.context?.signal.aborted).toBe(false)
    await origin.answer('slow')
    expect(get.peek('a')).toBe('slow')
  })

  function slowly() {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache().cached(origin.loadWithContext, {
      context: true,
      hardTimeout: '3s',
      completeInBackground: true,
    })
    return { clock: world.clock, origin, get }
  }
})
