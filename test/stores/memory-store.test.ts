import { describe, expect, it } from 'vitest'
import type { BusMessage, StoreContext } from '../../src/contracts/store.ts'
import { type MemoryStoreOptions, memory } from '../../src/stores/memory-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const text = (value: string) => new TextEncoder().encode(value)

function context(over: Partial<StoreContext> = {}): StoreContext {
  return { clock: new FakeClock(), random: () => 0.25, space: 's', onState: () => {}, ...over }
}

const entry = (key: string) => ({ key, bytes: text(key), freshUntil: 1e9, keepUntil: 1e9 })

describe('memory()', () => {
  it('can serve as soon as it is opened', () => {
    const states: unknown[] = []
    memory().open(context({ onState: (state) => states.push(state) }))
    expect(states).toEqual([{ state: 'ready', source: 'memory' }])
  })

  it('makes an epoch of 32 random bits at the first use of a space', async () => {
    const store = memory()
    const one = store.open(context({ random: () => 1 - 2 ** -53 }))
    const other = store.open(context({ random: () => 0 }))
    expect((await one.read({ keys: [], tags: [] })).epoch).toBe(2 ** 32 - 1)
    expect((await other.read({ keys: [], tags: [] })).epoch).toBe(2 ** 32 - 1)
  })

  it('shares nothing between two stores', async () => {
    const one = memory().open(context())
    const other = memory().open(context())
    await one.write(entry('k'))
    expect((await other.read({ keys: ['k'], tags: [] })).records).toEqual([undefined])
  })

  it('pushes out the entries written longest ago, for each space by itself', async () => {
    const store = memory({ maxEntries: 2 })
    const session = store.open(context())
    const elsewhere = store.open(context({ space: 'elsewhere' }))
    await elsewhere.write(entry('k'))
    for (const key of ['a', 'b', 'c']) await session.write(entry(key))
    const { records } = await session.read({ keys: ['a', 'b', 'c'], tags: [] })
    expect(records.map((record) => record !== undefined)).toEqual([false, true, true])
    expect((await elsewhere.read({ keys: ['k'], tags: [] })).records[0]).toBeDefined()
  })

  it('delivers messages after the step that made them, in order', async () => {
    const store = memory()
    const sender = store.open(context())
    const told: BusMessage[] = []
    store.open(context({ onMessage: (message) => told.push(message) }))
    const done = [sender.write(entry('a')), sender.delete(['a']), sender.stamp(['t'], 'soft')]
    expect(told).toEqual([])
    await Promise.all(done)
    await null
    expect(told.map((message) => message.kind)).toEqual(['write', 'delete', 'stamp'])
  })

  it('tells the others even when one of the listeners throws', async () => {
    const store = memory()
    const sender = store.open(context())
    const told: BusMessage[] = []
    store.open(
      context({
        onMessage: () => {
          throw new Error('a listener that is wrong')
        },
      }),
    )
    store.open(context({ onMessage: (message) => told.push(message) }))
    await sender.write(entry('a'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toHaveLength(1)
  })

  it.each([
    [{ maxEntries: 0 }, 'maxEntries of memory() must be a whole number'],
    [{ maxEntries: 1.5 }, 'maxEntries'],
    [{ maxEntries: '10' }, 'maxEntries'],
    [{ maxEntrys: 10 }, "did you mean 'maxEntries'"],
    [null, 'options object'],
  ])('refuses %o', (options, message) => {
    const make = () => memory(options as MemoryStoreOptions)
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
  })
})

describe('memory().lose()', () => {
  it('forgets entries, stamps, leases and the sequence, and starts a new epoch', async () => {
    const store = memory()
    const session = store.open(context())
    const lease = { token: 'token', ms: 1000, when: 'always' } as const
    await session.write(entry('k'))
    await session.stamp(['t'], 'hard')
    const before = await session.read({ keys: ['k'], tags: ['t'], lease })
    store.lose()
    const after = await session.read({ keys: ['k'], tags: ['t'] })
    expect(after).toMatchObject({
      records: [undefined],
      stamps: [{ hard: 0, soft: 0 }],
      sequence: 0,
    })
    expect(await session.renew('k', 'token', 1000)).toBe(false)
    // The generator of this test always draws the same number: the epoch must differ all the same.
    expect(after.epoch).not.toBe(before.epoch)
    store.lose()
    expect((await session.read({ keys: [], tags: [] })).epoch).not.toBe(after.epoch)
  })

  it('refuses the commits of loads that began before', async () => {
    const store = memory()
    const session = store.open(context())
    const lease = { token: 'token', ms: 1000, when: 'stale' } as const
    const { sequence, epoch } = await session.read({ keys: ['k'], tags: [], lease })
    store.lose()
    // Even where the same token holds the lease anew.
    await session.read({ keys: ['k'], tags: [], lease })
    const fence = { token: 'token', sequence, epoch, tags: [] }
    expect(await session.write({ ...entry('k'), fence })).toEqual({
      stored: false,
      reason: 'epoch-changed',
    })
  })

  it('goes on telling the sessions of what comes after, with the new epoch', async () => {
    const store = memory()
    const told: BusMessage[] = []
    const sender = store.open(context())
    store.open(context({ onMessage: (message) => told.push(message) }))
    await sender.write(entry('k'))
    store.lose()
    await sender.write(entry('k'))
    await null
    const [before, after] = told as { epoch: number; sequence: number }[]
    expect([before?.sequence, after?.sequence]).toEqual([1, 1])
    expect(after?.epoch).not.toBe(before?.epoch)
  })
})
