import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/index.ts'
import { altered } from '../l2/altered-store.ts'
import { codeOf, endWorldsAfterEach, settle } from './fixture.ts'
import { type Process, someProcesses, withoutBus } from './processes.ts'

endWorldsAfterEach()

const OPTIONS = { grace: '1h', softTimeout: 0 } as const

/** A load that is held, and what happens before its result is committed. */
async function refused({ get, origin }: Process, during: () => unknown): Promise<void> {
  const refreshed = get.refresh('a')
  await settle()
  await during()
  await origin.answer('new')
  expect(await refreshed).toBe('new')
  await settle()
}

/** What a read gets when neither L2 nor the origin can be asked. */
function whenAllFails({ get, line, origin }: Process): Promise<string> {
  line.set({ throws: 1 })
  origin.failWith(Object.assign(new Error('down'), { code: 'DOWN' }))
  return get('a')
}

async function loaded({ get, origin }: Process): Promise<void> {
  const first = get('a')
  await settle()
  await origin.answer('old')
  await first
  await settle()
}

describe('a result that L2 has refused because of a tag', () => {
  it('is left as a stale value when expireTag() was told to L2 late', async () => {
    const { clock, start } = someProcesses(OPTIONS)
    const one = start()
    await loaded(one)
    one.line.set({ throws: 1 })
    expect(await one.cache.expireTag('id:a')).toEqual({ durable: false })
    one.line.set({ throws: 0 })
    await refused(one, () => clock.advance('1s'))
    expect(await whenAllFails(one)).toBe('new')
  })

  it('is left as a stale value when expireTag() of another process was not heard of', async () => {
    const { start } = someProcesses(OPTIONS)
    const one = start(withoutBus)
    const other = start()
    await loaded(one)
    await refused(one, () => other.cache.expireTag('id:a'))
    expect(await one.get.detail('a')).toMatchObject({ value: 'new', source: 'stale' })
    await settle()
    await one.origin.answer('newer')
    expect(await one.get.detail('a')).toMatchObject({ value: 'newer', source: 'l1' })
  })

  it('is gone when it was invalidated for good', async () => {
    const { start } = someProcesses(OPTIONS)
    const one = start(withoutBus)
    const other = start()
    await loaded(one)
    await refused(one, () => other.cache.invalidateTag('id:a'))
    expect(await codeOf(whenAllFails(one))).toBe('DOWN')
  })

  it('is gone when its key was removed before L2 has said how the tag was invalidated', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    const slowStamps = (store: Store): Store =>
      altered(withoutBus(store), (session) => ({
        async read(request) {
          const reply = await session.read(request)
          if (request.keys.length === 0) await answered
          return reply
        },
      }))
    const { start } = someProcesses(OPTIONS)
    const one = start(slowStamps)
    const other = start()
    await loaded(one)
    await refused(one, () => other.cache.expireTag('id:a'))
    await one.get.invalidate('a')
    answer()
    await settle()
    expect(await codeOf(whenAllFails(one))).toBe('DOWN')
  })
})
