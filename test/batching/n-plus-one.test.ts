import { describe, expect, it } from 'vitest'
import type { NPlusOne } from '../../src/batching/n-plus-one.ts'
import { requestScope } from '../../src/batching/request-scope.ts'
import { users as make } from './users.ts'

function watched(options: Parameters<typeof make>[0] = {}) {
  const made = make(options)
  const events: NPlusOne[] = []
  made.users.on('n-plus-one', (event) => events.push(event))
  return { ...made, events }
}

async function oneByOne(users: ReturnType<typeof make>['users'], count: number): Promise<void> {
  for (let id = 0; id < count; id++) await users.load(id)
}

describe('n-plus-one', () => {
  it.each([
    ['in a request', requestScope],
    ['outside of one', (work: () => unknown) => work()],
  ])('names the line that loads one key after the other: %s', async (_, within) => {
    const { users, events } = watched()
    await within(() => oneByOne(users, 20))
    expect(events.map(({ count }) => count)).toEqual([5, 10, 20])
    expect(events[0]?.loader).toBe('users')
    expect(events[0]?.callSite).toMatch(/oneByOne.*n-plus-one\.test\.ts:\d+:\d+/)
  })

  it('says nothing of loads that go together', async () => {
    const { users, events } = watched()
    await requestScope(() => users.loadMany(Array.from({ length: 100 }, (_, id) => id)))
    await Promise.all(Array.from({ length: 100 }, (_, id) => users.load(id)))
    expect(events).toEqual([])
  })

  it('does not add up single loads of different requests', async () => {
    const { users, events } = watched()
    for (let request = 0; request < 20; request++) await requestScope(() => oneByOne(users, 4))
    const outside = async (): Promise<void> => oneByOne(users, 4)
    await Promise.all(Array.from({ length: 20 }, outside))
    expect(events).toEqual([])
  })

  it('does not add up what is far apart', async () => {
    const { users, events, clock } = watched({ nPlusOne: { repeats: 3, within: '1s' } })
    await requestScope(async () => {
      for (let id = 0; id < 10; id++) {
        await users.load(id)
        await clock.advance('1.5s')
      }
    })
    expect(events).toEqual([])
  })

  it('is told after as many repeats as was said', async () => {
    const { users, events } = watched({ nPlusOne: { repeats: 3 } })
    await requestScope(() => oneByOne(users, 3))
    expect(events.map(({ count }) => count)).toEqual([3])
  })
})
