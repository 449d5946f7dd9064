import { expect, it } from 'vitest'
import type { ReadRequest } from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle, watch } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

it('a read that needs a second answer of L2 waits no longer for both than one deadline', async () => {
  const world = aWorld()
  const shared = memory()
  const { clock } = world
  // Stamps of tags that the caller did not know of are asked for in a second read: that hangs.
  const isSecond = ({ keys, tags }: ReadRequest): boolean => keys.length === 0 && tags.length > 0
  const slow = altered(shared, (session) => ({
    read: (request) =>
      isSecond(request)
        ? new Promise(() => {})
        : new Promise((resolve, reject) => {
            clock.setTimeout(() => session.read(request).then(resolve, reject), 30)
          }),
  }))
  const options = { name: 'fn', context: true } as const
  const origin = async ({ setTags }: { setTags(tags: string[]): void }, id: string) => {
    setTags(['dynamic'])
    return id
  }
  await world.cache({ l2: shared }).cached(origin, options)('k')
  await settle()

  const get = world.cache({ l2: slow }).cached(origin, options)
  const startedAt = clock.now()
  const call = watch(get('k'))
  await settle()
  while (call.state === 'pending' && clock.now() < startedAt + 500) await clock.advance(1)
  expect(call.state).toBe('fulfilled')
  expect(clock.now() - startedAt).toBe(50)
})
