import { expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { altered } from '../l2/altered-store.ts'
import { aWorld, endWorldsAfterEach, settle, watch } from './fixture.ts'

endWorldsAfterEach()

it('a read of many that needs a load only later has it started, though the others have gone', async () => {
  const world = aWorld()
  const { clock } = world
  const shared = memory()
  const silent: Store = {
    ...shared,
    open: (context) => shared.open({ ...context, onMessage: () => {} }),
  }
  // Nobody tells: a copy is compared with L2, which takes 30 ms.
  const slow = {
    ...altered(silent, (session) => ({
      read: (request) =>
        new Promise((resolve, reject) => {
          clock.setTimeout(() => session.read(request).then(resolve, reject), 30)
        }),
    })),
    coherence: 'ttl-only' as const,
  }
  let outcome: () => Promise<string> = async () => 'old'
  const get = world
    .cache({ l2: slow, l1: { ttl: '1s' } })
    .cached(() => outcome(), { name: 'fn', key: () => 'k' })
  const first = get()
  await clock.advance(100)
  expect(await first).toBe('old')

  // A copy to be compared, beside a reload that fails while it is; and in L2 nothing any more.
  await clock.advance('2s')
  const origin = Promise.withResolvers<string>()
  outcome = () => origin.promise
  const reload = watch(get.refresh())
  await clock.advance(100)
  await world
    .cache({ l2: shared })
    .cached(async () => 'other', { name: 'fn', key: () => 'k' })
    .invalidate()
  const many = watch(get.many([[]]))
  await settle()
  outcome = async () => 'new'
  origin.reject(new Error('down'))
  await settle()
  expect(reload.state).toBe('rejected')
  await clock.advance('1s')
  expect(many).toMatchObject({ state: 'fulfilled', value: ['new'] })
})
