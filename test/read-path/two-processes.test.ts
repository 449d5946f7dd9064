import { describe, expect, it } from 'vitest'
import { type FunctionOptions, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

/** Two caches on one store, each with an origin of its own: two processes. */
function twoProcesses(options: FunctionOptions<[id?: string], string> = {}) {
  const world = aWorld()
  const store = chaosStore(memory())
  const process = () => {
    const origin = new Origin()
    const cache = world.cache({ l2: store })
    const get = cache.cached(origin.load, { name: 'fn', tags: (id) => [`id:${id}`], ...options })
    return { origin, cache, get }
  }
  return { clock: world.clock, store, one: process(), other: process(), process }
}

describe('two processes', () => {
  it('call the origin once for a cold key that both want', async () => {
    const { clock, one, other } = twoProcesses()
    const calls = [watch(one.get('a')), watch(other.get('a'))]
    await clock.advance('200ms')
    expect([one.origin.count, other.origin.count]).toEqual([1, 0])
    await one.origin.answer('value')
    await clock.advance('1s')
    expect(calls.map(({ value }) => value)).toEqual(['value', 'value'])
    expect(other.origin.count).toBe(0)
  })

  it('wait for each other as long as the origin takes', async () => {
    const { clock, one, other } = twoProcesses()
    const calls = [watch(one.get('a')), watch(other.get('a'))]
    await clock.advance('20s')
    expect([one.origin.count, other.origin.count]).toEqual([1, 0])
    await one.origin.answer('slow')
    await clock.advance('1s')
    expect(calls.map(({ value }) => value)).toEqual(['slow', 'slow'])
  })

  it('do not wait beyond their own hardTimeout', async () => {
    const { clock, one, other } = twoProcesses({ hardTimeout: '3s' })
    const first = watch(one.get('a'))
    await clock.advance('1s')
    const second = watch(other.get('a'))
    await clock.advance('3s')
    expect(first.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(second.error).toMatchObject({ code: 'ERR_TIMEOUT' })
  })

  it('find what the other has loaded', async () => {
    const { one, other } = twoProcesses()
    const first = one.get('a')
    await settle()
    await one.origin.answer('value')
    await first
    expect(await other.get.detail('a')).toMatchObject({ value: 'value', source: 'l2' })
    expect(other.origin.count).toBe(0)
  })

  it('take over at once when the load of the other has failed', async () => {
    const { clock, one, other } = twoProcesses()
    const calls = [watch(one.get('a')), watch(other.get('a'))]
    await settle()
    await one.origin.fail(new Error('down'))
    await clock.advance('100ms')
    expect([calls[0]?.state, other.origin.count]).toEqual(['rejected', 1])
    await other.origin.answer('value')
    expect(calls[1]?.value).toBe('value')
  })

  it('take over at once when the other may not store its value', async () => {
    const { clock, one, other } = twoProcesses({ cacheIf: (value) => value !== 'partial' })
    const calls = [watch(one.get('a')), watch(other.get('a'))]
    await settle()
    await one.origin.answer('partial')
    await clock.advance('100ms')
    await other.origin.answer('whole')
    expect(calls.map(({ value }) => value)).toEqual(['partial', 'whole'])
  })

  it('replace a holder whose process was closed during its load, once its lease has run out', async () => {
    const { clock, one, other } = twoProcesses()
    const dying = codeOf(one.get('a'))
    await settle()
    const closing = one.cache.close({ deadline: 0 })
    await clock.advance(0)
    await closing
    expect(await dying).toBe('ERR_CLOSED')
    const call = watch(other.get('a'))
    await clock.advance('5500ms')
    expect(other.origin.count).toBe(1)
    await other.origin.answer('value')
    expect(call.value).toBe('value')
  })

  it('replace a holder whose origin hangs, once its caller has given up', async () => {
    const { clock, one, other } = twoProcesses({ hardTimeout: '10s' })
    const hanging = codeOf(one.get('a'))
    await clock.advance('9s')
    const call = watch(other.get('a'))
    await clock.advance('6500ms')
    expect(await hanging).toBe('ERR_TIMEOUT')
    expect(other.origin.count).toBe(1)
    await other.origin.answer('value')
    expect(call.value).toBe('value')
  })

  it('wait no longer for a holder that is paused: what it brings later is not stored', async () => {
    const { clock, store, one, other, process } = twoProcesses()
    const first = watch(one.get('a'))
    await settle()
    store.set({ throws: 1 })
    await clock.advance('4900ms')
    store.set({ throws: 0 })
    await clock.advance('200ms')
    const second = watch(other.get('a'))
    await clock.advance('5s')
    await other.origin.answer('newer')
    await one.origin.answer('older')
    await settle()
    expect([first.value, second.value]).toEqual(['older', 'newer'])
    expect(await process().get('a')).toBe('newer')
  })

  it.each([
    ['delete', (p: Process) => p.get.invalidate('a')],
    ['invalidateTag', (p: Process) => p.cache.invalidateTag('id:a')],
    ['expireTag', (p: Process) => p.cache.expireTag('id:a')],
    ['clear', (p: Process) => p.cache.clear()],
    ['clear of the function', (p: Process) => p.get.clear()],
  ] as const)('store nothing that was loaded across a %s of the other', async (_, act) => {
    const { one, other, process } = twoProcesses()
    const first = watch(one.get('a'))
    await settle()
    expect(await act(other)).toEqual({ durable: true })
    await one.origin.answer('from before')
    expect(first.value).toBe('from before')
    const third = process()
    const call = watch(third.get('a'))
    await settle()
    await third.origin.answer('from after')
    expect(call.value).toBe('from after')
    expect(one.get.peek('a')).not.toBe('from before')
  })

  it('do not overwrite what the other has set during a load', async () => {
    const { one, other, process } = twoProcesses()
    const first = watch(one.get('a'))
    await settle()
    await other.get.set(['a'], 'by hand')
    await one.origin.answer('from before')
    expect(first.value).toBe('from before')
    expect(await process().get('a')).toBe('by hand')
  })

  it.each([
    ['set', (p: Process) => p.get.set(['a'], 'new')],
    ['invalidate', (p: Process) => p.get.invalidate('a')],
    ['invalidateTag', (p: Process) => p.cache.invalidateTag('id:a')],
    ['expireTag', (p: Process) => p.cache.expireTag('id:a')],
    ['clear', (p: Process) => p.cache.clear()],
  ] as const)('see a %s of the other in their own L1', async (_, act) => {
    const { one, other } = twoProcesses()
    await one.get.set(['a'], 'old')
    expect(await other.get('a')).toBe('old')
    await act(one)
    await settle()
    expect(other.get.peek('a')).toBeUndefined()
  })

  it('give back a lease whose grant arrived too late', async () => {
    const { clock, store, one, other } = twoProcesses()
    store.set({ late: 1 })
    const first = watch(one.get('a'))
    await clock.advance('50ms')
    expect(one.origin.count).toBe(1)
    store.set({ late: 0 })
    await clock.advance('150ms')
    const second = watch(other.get('a'))
    await settle()
    expect(other.origin.count).toBe(1)
    await one.origin.answer('unleased')
    await other.origin.answer('leased')
    expect([first.value, second.value]).toEqual(['unleased', 'leased'])
  })
})

type Process = ReturnType<typeof twoProcesses>['one']
