import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FileState, WorkerMessage } from '../../src/adapters/sqlite/protocol.ts'
import { WorkerLink } from '../../src/adapters/sqlite/worker-link.ts'
import { realClock } from '../../src/kernel/real-clock.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { Folder, put, textOf } from './open-file.ts'

const threads: Worker[] = []

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>()
  return {
    ...real,
    Worker: class extends real.Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args)
        threads.push(this as unknown as Worker)
      }
    },
  }
})

let folder: Folder
beforeEach(() => {
  folder = new Folder()
  threads.length = 0
})
afterEach(() => folder.remove())

describe('a worker that dies', () => {
  it('rejects what is in flight, says down, and is replaced by the next request', async () => {
    const { session, states } = await folder.open()
    await put(session, 'k', 'v')
    const inFlight = Promise.allSettled([1, 2, 3].map(() => textOf(session, 'k')))
    await threads[0]?.terminate()
    for (const result of await inFlight) {
      if (result.status === 'rejected') expect(result.reason.code).toBe('ERR_L2_UNAVAILABLE')
    }
    expect(states.at(-1)).toMatchObject({ state: 'down', error: { code: 'ERR_L2_UNAVAILABLE' } })
    expect(await textOf(session, 'k')).toBe('v')
    expect(states.at(-1)?.state).toBe('ready')
    expect(session.counters().restarts).toBe(1)
    expect(threads).toHaveLength(2)
  })

  it('again and again: pauses between attempts, but a probe may try', async () => {
    const clock = new FakeClock()
    const crashes: Error[] = []
    const link = new WorkerLink({ path: folder.file(), busyMs: 50 }, clock, 50, {
      onStart: () => void threads.at(-1)?.terminate(),
      onMessage: () => {},
      onCrash: (error) => crashes.push(error),
    })
    const ask = () =>
      link.request('s', 0, { name: 'delete', keys: [] }).catch((error) => error.message)
    expect(await ask()).toMatch(/ended/)
    expect(await ask()).toMatch(/ended/)
    expect(await ask()).toMatch(/pauses/)
    expect(threads).toHaveLength(2)
    await clock.advance('1s')
    expect(await ask()).toMatch(/ended/)
    await expect(link.request('s', 0, { name: 'probe' })).rejects.toThrow(/ended/)
    expect(threads).toHaveLength(4)
    expect(crashes).toHaveLength(4)
    expect(clock.pending).toBe(0)
  })

  it('while it hangs: a bounded number of requests wait, and close does not', async () => {
    const states: FileState[] = []
    const clock = new FakeClock()
    const link = new WorkerLink({ path: folder.file(), busyMs: 50 }, clock, 50, {
      onStart: () => {
        // Stands for a thread that hangs inside SQLite.
        const [thread] = threads as [Worker]
        thread.postMessage = () => {}
      },
      onMessage: (message: WorkerMessage) => message.state && states.push(message.state),
      onCrash: () => {},
    })
    const outcomes: Promise<string>[] = []
    for (let at = 0; at < 10_001; at++) {
      outcomes.push(
        link.request('s', 0, { name: 'delete', keys: [] }).then(
          () => 'answered',
          (error) => error.message,
        ),
      )
    }
    expect(await outcomes[10_000]).toMatch(/10000 requests wait/)
    const closing = link.close(0)
    await clock.advance('1s')
    await closing
    expect(await outcomes[0]).toMatch(/did not end/)
    expect(link.pending).toBe(0)
  })
})

describe('time', () => {
  it('is the clock of the cache, not that of the thread', async () => {
    const { session } = await folder.open()
    const { now } = await session.read({ keys: [], tags: [] })
    expect(Math.abs(now - realClock.wall())).toBeLessThan(5000)
  })
})
