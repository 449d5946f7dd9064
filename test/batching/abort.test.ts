import { getEventListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { loader } from '../../src/batching/loader.ts'
import { requestScope } from '../../src/batching/request-scope.ts'
import { users as make } from './users.ts'

function slow() {
  const batches: number[][] = []
  const signals: AbortSignal[] = []
  const { promise, resolve: finish } = Promise.withResolvers<void>()
  const users = loader(async (ids: readonly number[], { signal }) => {
    batches.push([...ids])
    signals.push(signal)
    await promise
    return ids
  })
  return { users, batches, signals, finish }
}

const aborted = { code: 'ERR_ABORTED' }

describe('a signal', () => {
  it('takes its key out of the batch that gathers', async () => {
    const { users, batches } = make()
    const leaving = new AbortController()
    const left = users.load(1, { signal: leaving.signal })
    const stays = users.load(2)
    leaving.abort(new Error('user went away'))
    await expect(left).rejects.toMatchObject({ ...aborted, cause: new Error('user went away') })
    expect(await stays).toBe('user 2')
    expect(batches).toEqual([[2]])
  })

  it('leaves the key to the others who want it', async () => {
    const { users, batches } = make()
    const leaving = new AbortController()
    const left = users.load(1, { signal: leaving.signal })
    const stays = users.load(1, { signal: new AbortController().signal })
    leaving.abort()
    await expect(left).rejects.toMatchObject(aborted)
    expect(await stays).toBe('user 1')
    expect(batches).toEqual([[1]])
  })

  it('starts no batch that nobody wants, and leaves no timer', async () => {
    const { users, batches, clock } = make({ window: '10ms' })
    const leaving = new AbortController()
    const left = users.loadMany([1, 2], { signal: leaving.signal })
    expect(clock.pending).toBe(1)
    leaving.abort()
    expect(await left).toMatchObject([aborted, aborted])
    expect(clock.pending).toBe(0)
    await clock.advance('1s')
    expect(batches).toEqual([])
  })

  it('aborts the batch function when all have left, and not before', async () => {
    const { users, signals, finish } = slow()
    const [one, other] = [new AbortController(), new AbortController()]
    const loads = [
      users.load(1, { signal: one.signal }),
      users.load(2, { signal: other.signal }),
    ] as const
    await nextTurn()
    one.abort()
    await expect(loads[0]).rejects.toMatchObject(aborted)
    expect(signals[0]?.aborted).toBe(false)
    other.abort()
    await expect(loads[1]).rejects.toMatchObject(aborted)
    expect(signals[0]?.aborted).toBe(true)
    finish()
  })

  it('does not abort what somebody without a signal waits for', async () => {
    const { users, signals, finish } = slow()
    const leaving = new AbortController()
    const left = users.load(1, { signal: leaving.signal })
    const stays = users.load(1)
    await nextTurn()
    leaving.abort()
    await expect(left).rejects.toMatchObject(aborted)
    expect(signals[0]?.aborted).toBe(false)
    finish()
    expect(await stays).toBe(1)
  })

  it('leaves nothing of a batch that waits for its turn', async () => {
    const { promise: hangs, resolve: finish } = Promise.withResolvers<void>()
    const users = loader(
      async (ids: readonly number[]) => {
        await hangs
        return ids
      },
      { concurrency: 1 },
    )
    const first = users.load(1)
    await nextTurn()
    for (const id of [2, 3]) {
      const leaving = new AbortController()
      const left = users.load(id, { signal: leaving.signal })
      await nextTurn()
      expect(users.stats()).toMatchObject({ inFlight: 1, waiting: 1 })
      leaving.abort()
      await expect(left).rejects.toMatchObject(aborted)
      expect(users.stats().waiting).toBe(0)
    }
    finish()
    await first
    expect(await users.load(4)).toBe(4)
    expect(users.stats()).toMatchObject({ batches: 2, inFlight: 0, waiting: 0 })
  })

  it('makes the request ask anew after a key was given up', async () => {
    const { users, batches } = make()
    await requestScope(async () => {
      const leaving = new AbortController()
      const left = users.load(1, { signal: leaving.signal })
      leaving.abort()
      await expect(left).rejects.toMatchObject(aborted)
      expect(await users.load(1)).toBe('user 1')
    })
    expect(batches).toEqual([[1]])
  })

  it('that is aborted already asks for nothing', async () => {
    const { users, batches } = make()
    await expect(users.load(1, { signal: AbortSignal.abort() })).rejects.toMatchObject(aborted)
    await nextTurn()
    expect(batches).toEqual([])
  })

  it('keeps no listener of a load that is over', async () => {
    const { users } = make()
    const { signal } = new AbortController()
    await users.loadMany([1, 2, 3], { signal })
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
