import assert from 'node:assert/strict'
import { isResilienceError } from '../kernel/errors.ts'
import type { Behaviour } from './store-world.ts'

const SOURCES = [
  'sentinel',
  'last-known',
  'standalone',
  'cluster',
  'client',
  'file',
  'memory',
  'none',
]

export const lifecycleBehaviours: readonly Behaviour[] = [
  {
    name: 'describes itself before it is opened',
    async run({ store }) {
      assert.ok(SOURCES.includes(store.source), 'source is one of the contract')
      assert.ok(['bus', 'ttl-only'].includes(store.coherence), 'coherence is one of the contract')
      assert.equal(typeof store.supports.leases, 'boolean')
      assert.equal(typeof store.supports.atomic, 'boolean')
      assert.ok(store.timeoutMs > 0 && Number.isFinite(store.timeoutMs), 'timeoutMs is a time')
    },
  },
  {
    name: 'answers a probe when it can serve',
    async run(world) {
      const { session } = await world.open()
      assert.equal(await session.probe(), undefined)
    },
  },
  {
    name: 'tells sequence, epoch and time even to a read of nothing',
    async run(world) {
      const user = await world.open()
      const { records, leases, stamps, positions, sequence, epoch, now } = await user.read([])
      assert.deepEqual([records, leases, stamps, positions], [[], [], [], []])
      assert.ok(Number.isSafeInteger(sequence) && sequence >= 0, 'the sequence is a whole number')
      assert.ok(Number.isInteger(epoch) && epoch >= 0 && epoch < 2 ** 32, 'the epoch fits 32 bits')
      await world.advance(1234)
      if (world.isExact)
        assert.equal(
          (await user.read([])).now - now,
          1234,
          'its time follows the clock it was given',
        )
    },
  },
  {
    name: 'rejects every operation after close with ERR_CLOSED',
    async run(world) {
      const { session } = await world.open()
      await session.close()
      const operations: Record<string, () => Promise<unknown>> = {
        read: () => session.read({ keys: ['k'], tags: [] }),
        write: () =>
          session.write({ key: 'k', bytes: new Uint8Array(1), freshUntil: 1, keepUntil: 1 }),
        delete: () => session.delete(['k']),
        stamp: () => session.stamp(['t'], 'hard'),
        renew: () => session.renew('k', 'token', 1000),
        release: () => session.release('k', 'token'),
        probe: () => session.probe(),
      }
      for (const [name, operation] of Object.entries(operations)) {
        await assert.rejects(
          operation,
          (error) => isResilienceError(error, 'ERR_CLOSED'),
          `${name} after close rejects with a ResilienceError ERR_CLOSED`,
        )
      }
    },
  },
  {
    name: 'can be closed twice, also at once',
    async run(world) {
      const { session } = await world.open()
      await Promise.all([session.close(), session.close()])
      assert.equal(await session.close(), undefined)
    },
  },
  {
    name: 'goes on serving the other sessions when one is closed',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'before')
      await one.session.close()
      assert.equal(await other.get('k'), 'before')
      await other.set('k', 'after')
      assert.equal(await other.get('k'), 'after')
    },
  },
  {
    name: 'has its data, sequence and epoch still when it is opened again',
    async run(world) {
      const before = await world.open()
      const version = await before.set('k', 'kept')
      await before.session.stamp(['t'], 'hard')
      const was = await before.read([], { tags: ['t'] })
      await before.session.close()
      const after = await world.open()
      assert.equal(await after.get('k'), 'kept')
      const is = await after.read(['k'], { tags: ['t'] })
      assert.equal(is.records[0]?.version, version)
      assert.equal(is.epoch, was.epoch)
      assert.ok(is.sequence >= was.sequence, 'the sequence goes on')
      assert.deepEqual(is.stamps, was.stamps)
    },
  },
]
