import { describe, expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { altered } from '../l2/altered-store.ts'
import { FakeBreaker } from '../policies/guard/gates.ts'
import { endWorldsAfterEach, settle, watch } from './fixture.ts'
import { someProcesses, watched } from './processes.ts'

endWorldsAfterEach()

const down = new Error('down')

describe('a fallback in one of several processes', () => {
  it('is not shared: the others hear that the origin has failed, and call it themselves', async () => {
    const { clock, start } = someProcesses({ guard: { fallback: 'instead' } })
    const { seen, store } = watched(memory())
    const [first, second] = [start(() => store), start(() => store)]
    const calls = [watch(first.get.detail('a')), watch(second.get.detail('a'))]
    await settle()
    await first.origin.fail(down)
    await clock.advance('600ms')
    expect(calls[0]?.value).toMatchObject({ value: 'instead', source: 'fallback' })
    expect(seen.ends).toEqual(['failed'])
    await second.origin.answer('value')
    expect(calls[1]?.value).toMatchObject({ value: 'value', source: 'origin' })
    await settle()
    expect(await first.get.detail('a')).toMatchObject({ value: 'value', source: 'l2' })
  })

  it('answers, too, for an origin that has failed elsewhere as often as it may', async () => {
    const { clock, start } = someProcesses({
      guard: { fallback: (error) => (error as Error).message },
    })
    const processes = Array.from({ length: 5 }, () => start())
    const calls = processes.map(({ get }) => watch(get.detail('a')))
    await settle()
    for (let turn = 0; turn < 10; turn++) {
      await clock.advance('500ms')
      for (const { origin } of processes) while (origin.waiting.length > 0) await origin.fail(down)
    }
    expect(processes.reduce((sum, { origin }) => sum + origin.count, 0)).toBe(3)
    for (const { value } of calls)
      expect(value).toMatchObject({ value: 'down', source: 'fallback' })
  })

  it('leaves the lease unused where its breaker did not let it through', async () => {
    const breaker = new FakeBreaker()
    breaker.openFor(1000)
    const { start } = someProcesses({ guard: { breaker, fallback: 'instead' } })
    const { seen, store } = watched(memory())
    const one = start(() => store)
    expect(await one.get.detail('a')).toMatchObject({ source: 'fallback' })
    await settle()
    expect([one.origin.count, seen.ends]).toEqual([0, ['unused']])
  })
})

describe('a value that another process writes while the origin is tried again', () => {
  it('is not overwritten in L1 by an attempt that began before', async () => {
    const { clock, start } = someProcesses({
      guard: { hedge: { after: '100ms' }, idempotent: true },
    })
    const never = new Promise<never>(() => {})
    const slow = (store: Store): Store => altered(store, () => ({ write: () => never }))
    const [first, second] = [start(slow), start()]
    const call = watch(first.get('a'))
    await settle()
    await second.get.set(['a'], 'newer')
    await clock.advance('150ms')
    expect(first.origin.count).toBe(2)
    await first.origin.answer('read before the write')
    expect(call.value).toBe('read before the write')
    // L2 would refuse it, but has not answered yet.
    expect(first.get.peek('a')).toBe(undefined)
    expect(await first.get('a')).toBe('newer')
    first.origin.waiting[0]?.answer('too late')
  })
})
