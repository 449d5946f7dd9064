import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/index.ts'
import { endWorldsAfterEach, settle, watch } from './fixture.ts'
import { type LoadOptions, type Process, someProcesses } from './processes.ts'

endWorldsAfterEach()

/** A process whose load of `a` goes on without a lease, for L2 has not answered; and another process. */
async function setUp(options: LoadOptions = {}, see?: (store: Store) => Store) {
  const { clock, start } = someProcesses(options)
  const [one, other] = [start(see), start()]
  one.line.set({ hangs: 1 })
  const early = watch(one.get('a'))
  await clock.advance(50)
  one.line.set({ hangs: 0 })
  expect(one.origin.count).toBe(1)
  return { clock, one, other, early }
}

/** A line that brings no message, and says so when it is told to. */
function losing() {
  let tell = (): void => {}
  const see = (store: Store): Store => ({
    ...store,
    open(context) {
      tell = () => context.onMessage?.({ kind: 'lost' })
      const { onMessage: _, ...deaf } = context
      return store.open(deaf)
    },
  })
  return { see, lose: () => tell() }
}

const read = async (process: Process) => {
  const watched = watch(process.get('a'))
  await settle()
  return watched
}

describe('a load without a lease', () => {
  it('is not joined after another process has stored the key', async () => {
    const { one, other, early } = await setUp()
    expect(await other.get.set(['a'], 'new')).toEqual({ durable: true })
    const late = await read(one)
    await one.origin.answer('old')
    expect([early.value, late.value, one.origin.count]).toEqual(['old', 'new', 1])
    expect(await one.get('a')).toBe('new')
  })

  it('is joined while nothing has happened', async () => {
    const { one } = await setUp()
    await read(one)
    expect(one.origin.count).toBe(1)
    await one.origin.answer('value')
  })

  it('is not joined after messages were lost, and stores nothing', async () => {
    const { see, lose } = losing()
    const { one, other, early } = await setUp({ grace: '1h' }, see)
    expect(await other.get.invalidate('a')).toEqual({ durable: true })
    lose()
    const late = await read(one)
    await one.origin.answer('old')
    await one.origin.answer('new')
    expect([early.value, late.value]).toEqual(['old', 'new'])
  })

  it('leaves nothing for grace after messages were lost', async () => {
    const { see, lose } = losing()
    const { one, other, early } = await setUp({ grace: '1h' }, see)
    await other.get.invalidate('a')
    lose()
    await one.origin.answer('old')
    expect(early.value).toBe('old')
    const late = await read(one)
    await one.origin.answer('new')
    expect(late.value).toBe('new')
  })

  it('goes on to be joined after messages were lost where it has no part in L2', async () => {
    const { see, lose } = losing()
    const { start } = someProcesses({ l2: false })
    const one = start(see)
    await read(one)
    lose()
    await read(one)
    expect(one.origin.count).toBe(1)
    await one.origin.answer('value')
    expect(one.get.peek('a')).toBe('value')
  })
})
