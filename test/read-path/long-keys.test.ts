import * as crypto from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, type Origin, settle, versions, watch } from './fixture.ts'

vi.mock('node:crypto', async (load) => {
  const real = await load<typeof crypto>()
  return { ...real, hash: vi.fn(real.hash) }
})

endWorldsAfterEach()
afterEach(() => vi.mocked(crypto.hash).mockClear())

const long = (id: number | string): string => `${id} ${'long'.repeat(100)}`

describe('keys that are too long for L2', () => {
  it('are found in L1 when another process invalidates them', async () => {
    const { ours, theirs } = twoProcesses()
    await ours(long(1))
    await ours(long(2))
    await theirs.invalidate(long(1))
    await settle()
    expect([ours.peek(long(1)), ours.peek(long(2))]).toEqual([undefined, 'v2'])
  })

  it('are found whoever put them into L1', async () => {
    const { ours, theirs } = twoProcesses()
    await theirs(long(1))
    await ours.set([long(2)], 'set')
    await settle()
    await ours(long(1))
    await ours.many([[long(3)]])
    await settle()
    for (const id of [1, 2, 3]) await theirs.invalidate(long(id))
    await settle()
    expect([1, 2, 3].map((id) => ours.peek(long(id)))).toEqual([undefined, undefined, undefined])
  })

  it('are found again after they were evicted and loaded again', async () => {
    const { ours, theirs } = twoProcesses(10)
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 200; i++) await ours(long(i))
    }
    await settle()
    expect(ours.peek(long(199))).toBeDefined()
    await theirs.invalidate(long(199))
    await settle()
    expect(ours.peek(long(199))).toBeUndefined()
  })

  it('are found while they are being loaded', async () => {
    const { ours, origin, theirs } = twoProcesses()
    origin.hold()
    const call = watch(ours(long(1)))
    await settle()
    await theirs.invalidate(long(1))
    await settle()
    await origin.answer('old')
    expect(call.value).toBe('old')
    expect(ours.peek(long(1))).toBeUndefined()
  })

  it('cost no work for the others when one is invalidated', async () => {
    const { ours, theirs } = twoProcesses()
    for (let i = 0; i < 200; i++) await ours(long(i))
    await settle()
    vi.mocked(crypto.hash).mockClear()
    await theirs.invalidate(long('none'))
    await settle()
    expect(vi.mocked(crypto.hash).mock.calls.length).toBeLessThan(10)
  })

  function twoProcesses(maxEntries = 10_000) {
    const world = aWorld()
    const l2 = memory()
    const origin: Origin = versions()
    const ours = world.cache({ l2, l1: { maxEntries } }).cached(origin.load, { name: 'fn' })
    const theirs = world.cache({ l2 }).cached(versions().load, { name: 'fn' })
    return { ours, origin, theirs }
  }
})
