import { describe, expect, it } from 'vitest'
import type { CacheEvents, FunctionOptions } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

/** A function whose entry of `a` is `old`; the next call of the origin waits. */
async function withStale(options: FunctionOptions<[id?: string], string>, after = 11_000) {
  const world = aWorld()
  const origin = new Origin(() => 'old')
  const cache = world.cache({ ttl: '10s' })
  const get = cache.cached(origin.load, { grace: '1h', ...options })
  await get('a')
  await world.clock.advance(after)
  origin.hold()
  return { clock: world.clock, cache, origin, get }
}

describe('grace with softTimeout 0', () => {
  it('serves the stale value at once while one refresh runs', async () => {
    const { origin, get } = await withStale({})
    expect(await Promise.all([get('a'), get('a'), get('a')])).toEqual(['old', 'old', 'old'])
    expect(await get('a')).toBe('old')
    await settle()
    expect(origin.count).toBe(2)
    await origin.answer('new')
    expect(await get('a')).toBe('new')
    expect(origin.count).toBe(2)
  })

  it('ends with the grace: then callers wait for the origin', async () => {
    const { clock, origin, get } = await withStale({ grace: '5s' }, 14_999)
    expect(await get('a')).toBe('old')
    await clock.advance(1)
    const call = watch(get('a'))
    await settle()
    expect(call.state).toBe('pending')
    await origin.answer('new')
    expect(call.value).toBe('new')
    expect(origin.count).toBe(2)
  })

  it('is off by default', async () => {
    const { origin, get } = await withStale({ grace: 0 })
    const call = watch(get('a'))
    await settle()
    expect(call.state).toBe('pending')
    await origin.answer('new')
    expect(call.value).toBe('new')
  })

  it('keeps serving stale when the refresh fails, and reports the failure', async () => {
    const { cache, origin, get } = await withStale({})
    const events: CacheEvents['error'][] = []
    cache.on('error', (event) => events.push(event))
    await get('a')
    await settle()
    const error = new Error('down')
    await origin.fail(error)
    expect(await get('a')).toBe('old')
    expect(events).toMatchObject([{ kind: 'refresh', error }])
  })

  it('does not let a refresh that is aborted by nobody wait for its callers', async () => {
    const { origin, get } = await withStale({})
    const controller = new AbortController()
    expect(await get.with({ signal: controller.signal })('a')).toBe('old')
    controller.abort()
    await settle()
    await origin.answer('new')
    expect(await get('a')).toBe('new')
  })
})

describe('grace with softTimeout', () => {
  it('waits for the fresh value that long, and serves it when it comes in time', async () => {
    const { clock, origin, get } = await withStale({ softTimeout: '200ms' })
    const call = watch(get('a'))
    await clock.advance(199)
    expect(call.state).toBe('pending')
    await origin.answer('new')
    expect(call.value).toBe('new')
  })

  it('serves the stale value after that, and stores the fresh one when it comes', async () => {
    const { clock, origin, get } = await withStale({ softTimeout: '200ms' })
    const call = watch(get('a'))
    await clock.advance(200)
    expect(call.value).toBe('old')
    await origin.answer('new')
    expect(await get('a')).toBe('new')
    expect(origin.count).toBe(2)
  })

  it('serves later callers at once while the same load runs', async () => {
    const { clock, origin, get } = await withStale({ softTimeout: '200ms' })
    const first = watch(get('a'))
    await clock.advance(200)
    const second = watch(get('a'))
    await settle()
    expect([first.value, second.value]).toEqual(['old', 'old'])
    expect(origin.count).toBe(2)
  })

  it('counts from the start of the load for whoever joins it', async () => {
    const { clock, get } = await withStale({ softTimeout: '200ms' })
    const first = watch(get('a'))
    await clock.advance(150)
    const second = watch(get('a'))
    await clock.advance(50)
    expect([first.value, second.value]).toEqual(['old', 'old'])
  })

  it('ends the wait for a refresh-ahead that began while the value was fresh', async () => {
    const options = { softTimeout: '200ms', refreshAhead: 0.9 } as const
    const { clock, origin, get } = await withStale(options, 9500)
    expect(await get('a')).toBe('old')
    await clock.advance(1000)
    const call = watch(get('a'))
    await clock.advance(200)
    expect(call.value).toBe('old')
    expect(origin.count).toBe(2)
  })

  it('serves no stale value whose grace has ended meanwhile', async () => {
    const { clock, origin, get } = await withStale({ grace: '1100ms', softTimeout: '200ms' })
    const call = watch(get('a'))
    await clock.advance(200)
    expect(call.state).toBe('pending')
    await origin.answer('new')
    expect(call.value).toBe('new')
  })
})

describe('stale-if-error', () => {
  it('serves the stale value when the origin fails', async () => {
    const { origin, get } = await withStale({ softTimeout: '1s' })
    const call = watch(get('a'))
    await settle()
    await origin.fail(new Error('down'))
    expect(call.value).toBe('old')
  })

  it('rejects when the grace has ended by the time the origin fails', async () => {
    const { clock, origin, get } = await withStale({ grace: '1500ms', softTimeout: '1s' })
    const call = watch(get('a'))
    await clock.advance('600ms')
    await origin.fail(new Error('down'))
    expect(call.error).toEqual(new Error('down'))
  })

  it('rejects when a refresh-ahead fails after the ttl of a value without grace', async () => {
    const { clock, origin, get } = await withStale({ grace: 0, refreshAhead: 0.9 }, 9500)
    expect(await get('a')).toBe('old')
    await clock.advance(1000)
    const call = watch(get('a'))
    await settle()
    await origin.fail(new Error('down'))
    expect(call.error).toEqual(new Error('down'))
    expect(origin.count).toBe(2)
  })

  it('serves a joined caller its stale value although the load was begun by a reload', async () => {
    const { clock, origin, get } = await withStale({ softTimeout: '200ms' })
    const reload = watch(get.refresh('a'))
    const call = watch(get('a'))
    await clock.advance(200)
    await origin.fail(new Error('down'))
    expect(call.value).toBe('old')
    expect(reload.error).toEqual(new Error('down'))
    expect(origin.count).toBe(2)
  })

  it('does not hide the error from a caller that asked for a reload', async () => {
    const { origin, get } = await withStale({})
    const call = watch(get.with({ reload: true })('a'))
    await settle()
    await origin.fail(new Error('down'))
    expect(call.error).toEqual(new Error('down'))
  })
})

describe('graceBackoff', () => {
  it('leaves a failed origin alone for 5 s, counted from the failure', async () => {
    const { clock, origin, get } = await withStale({})
    await get('a')
    await clock.advance('20s')
    await origin.fail(new Error('down'))
    await clock.advance(4999)
    expect(await get('a')).toBe('old')
    await settle()
    expect(origin.count).toBe(2)
    await clock.advance(1)
    expect(await get('a')).toBe('old')
    await settle()
    expect(origin.count).toBe(3)
  })

  it('serves stale at once meanwhile, whatever softTimeout says', async () => {
    const { clock, origin, get } = await withStale({ softTimeout: '1s', graceBackoff: '2s' })
    const first = watch(get('a'))
    await settle()
    await origin.fail(new Error('down'))
    expect(first.value).toBe('old')
    expect(await get('a')).toBe('old')
    await clock.advance('2s')
    const second = watch(get('a'))
    await settle()
    expect(second.state).toBe('pending')
    expect(origin.count).toBe(3)
  })

  it('does not make the grace longer', async () => {
    const { clock, origin, get } = await withStale({ grace: '3s', graceBackoff: '1h' })
    await get('a')
    await settle()
    await origin.fail(new Error('down'))
    await clock.advance('2s')
    const call = watch(get('a'))
    await settle()
    expect(call.state).toBe('pending')
    expect(origin.count).toBe(3)
  })

  it('ends with the next value that is stored', async () => {
    const { clock, origin, get } = await withStale({ graceBackoff: '1h' })
    await get('a')
    await settle()
    await origin.fail(new Error('down'))
    await get.set(['a'], 'by hand')
    await clock.advance('11s')
    expect(await get('a')).toBe('by hand')
    await settle()
    expect(origin.count).toBe(3)
  })
})

describe('the event stale', () => {
  it.each([
    ['revalidate', {}, async () => {}],
    ['timeout', { softTimeout: '1s' }, async () => {}],
    ['error', { softTimeout: '1s' }, (origin: Origin) => origin.fail(new Error('down'))],
  ] as const)('tells of a value served for the reason %s', async (reason, options, then) => {
    const { clock, cache, origin, get } = await withStale(options)
    const events: CacheEvents['stale'][] = []
    cache.on('stale', (event) => events.push(event))
    const call = get('a')
    await settle()
    await then(origin)
    await clock.advance('1s')
    expect(await call).toBe('old')
    expect(events).toMatchObject([{ reason }])
  })
})
