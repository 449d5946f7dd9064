import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/contracts/clock.ts'
import type { ReadReply } from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { realClock } from '../../src/kernel/real-clock.ts'
import { RemoteLevel } from '../../src/l2/remote-level.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { settle, watch } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

function levelOver(clock: Clock, read: (reply: ReadReply) => Promise<ReadReply>) {
  const store = altered(memory(), (session) => ({
    read: async (request) => read(await session.read(request)),
  }))
  return new RemoteLevel(store, {
    clock,
    random: () => 0.5,
    space: 'test',
    rootTag: '!',
    onState: () => {},
    onError: () => {},
    onMessage: () => {},
  })
}

/** A process whose timers come late, after it was blocked for so long. */
class BlockedClock extends FakeClock {
  blockedMs = 0

  override now(): number {
    return super.now() + (this.blockedMs ?? 0)
  }
}

function aBlockedProcess(blockedMs: number) {
  const clock = new BlockedClock()
  const held: Array<() => void> = []
  const remote = levelOver(clock, (reply) => new Promise((ok) => held.push(() => ok(reply))))
  const readLate = async () => {
    const read = watch(remote.read({ keys: ['k'], tags: [] }))
    await settle()
    clock.blockedMs += blockedMs
    await clock.advance(50)
    return read
  }
  return { clock, remote, held, readLate }
}

describe('a deadline that passes while this process is blocked', () => {
  it('is not held against an L2 that answers right after', async () => {
    const { remote, held, readLate } = aBlockedProcess(1000)
    for (let i = 0; i < 8; i++) {
      const read = await readLate()
      expect(read).toMatchObject({ state: 'fulfilled', value: undefined })
      held.shift()?.()
      await settle()
    }
    expect(remote.health()).toMatchObject({ state: 'ready', timeoutsIgnored: 8 })
    expect(remote.errors).toBe(0)
  })

  it('is held against an L2 that does not answer within another one', async () => {
    const { clock, remote, readLate } = aBlockedProcess(1000)
    for (let i = 0; i < 5; i++) {
      await readLate()
      await clock.advance(50)
    }
    expect(remote.health()).toMatchObject({ state: 'down', timeoutsIgnored: 0 })
    expect(remote.errors).toBe(5)
  })

  it('counts as ever where the timer was only a little late', async () => {
    const { remote, readLate } = aBlockedProcess(20)
    for (let i = 0; i < 5; i++) await readLate()
    expect(remote.health()).toMatchObject({ state: 'down', timeoutsIgnored: 0 })
  })

  it('loses no reply that has arrived by then, in real time', async () => {
    const worker = new Worker(
      "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (id) => setTimeout(() => parentPort.postMessage(id), 5))",
      { eval: true },
    )
    const waiting: Array<() => void> = []
    worker.on('message', () => waiting.shift()?.())
    await new Promise((resolve) => worker.once('online', resolve))
    const remote = levelOver(realClock, async (reply) => {
      worker.postMessage(0)
      await new Promise<void>((resolve) => waiting.push(resolve))
      return reply
    })
    try {
      // Its first message takes as long as its start.
      for (let i = 0; i < 7; i++) {
        const read = remote.read({ keys: ['k'], tags: [] })
        await new Promise<void>((resolve) => setImmediate(resolve))
        const end = performance.now() + 120
        while (performance.now() < end);
        expect((await read)?.records).toEqual([undefined])
      }
      expect(remote.health()).toMatchObject({ state: 'ready', breaker: { read: 'closed' } })
    } finally {
      await remote.close()
      await worker.terminate()
    }
  })
})
