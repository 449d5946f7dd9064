import assert from 'node:assert/strict'
import type { BusMessage } from '../contracts/store.ts'
import type { StoreUser } from './store-user.ts'
import type { Behaviour } from './store-world.ts'

/** One of each kind that is announced; returns what the others must be told, in order. */
async function announceEach(user: StoreUser): Promise<BusMessage[]> {
  const { epoch } = await user.read([])
  const [a, b] = [user.key('a'), user.key('b')]
  const set = await user.set('a', 'x')
  const hard = await user.session.stamp(['t', 'u'], 'hard')
  const fence = await user.begin('b', 'token', ['t'])
  const commit = await user.commit('b', 'y', fence)
  assert.ok(commit.stored)
  const soft = await user.session.stamp(['t'], 'soft')
  const deleted = await user.delete('a', 'b', 'never-there')
  return [
    { kind: 'write', key: a, sequence: set, epoch },
    { kind: 'stamp', tags: ['t', 'u'], mode: 'hard', sequence: hard.sequence, epoch },
    { kind: 'write', key: b, sequence: commit.version, epoch },
    { kind: 'stamp', tags: ['t'], mode: 'soft', sequence: soft.sequence, epoch },
    {
      kind: 'delete',
      keys: [a, b, user.key('never-there')],
      sequence: deleted.sequence,
      epoch,
    },
  ]
}

const withBus: readonly Behaviour[] = [
  {
    name: 'tells the other sessions of every change, in order, and not the one that made it',
    needs: 'one sequence',
    async run(world) {
      const [one, other] = await world.two()
      const third = await world.open()
      const expected = await announceEach(one)
      for (const told of [other, third]) {
        await world.eventually(
          () => told.messages.length >= expected.length,
          'the others were told of every change',
        )
        assert.deepEqual(told.messages, expected)
      }
      await world.quiet(one)
      assert.deepEqual(one.messages, [], 'no echo')
    },
  },
  {
    name: 'tells numbers that can be compared with where the key stands at a read',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'x')
      await world.eventually(() => other.messages.length > 0, 'the write was told')
      const [message] = other.messages
      assert.ok(message?.kind === 'write')
      const { sequence, epoch } = message
      assert.deepEqual((await other.read(['k'])).positions, [{ sequence, epoch }])
      await one.set('k', 'y')
      const [position] = (await one.read(['k'])).positions
      assert.ok(position && position.sequence > sequence, 'a later read is past the message')
    },
  },
  {
    name: 'leaves no gap in the numbers that a session sees and makes',
    needs: 'one sequence',
    async run(world) {
      const [one, other] = await world.two()
      const start = (await one.read([])).sequence
      await Promise.all(
        Array.from({ length: 40 }, (_, at) => {
          if (at % 4 === 3) return one.delete(`n${at}`)
          return at % 4 === 2 ? one.session.stamp(['t'], 'hard') : one.set(`n${at}`, 'x')
        }),
      )
      await world.eventually(() => other.messages.length >= 40, 'all 40 changes were told')
      assert.deepEqual(
        other.messages.map((message) => message.kind !== 'lost' && message.sequence),
        Array.from({ length: 40 }, (_, at) => start + at + 1),
      )
    },
  },
  {
    name: 'says nothing of what changed nothing: refused commits, reads, foreign releases',
    needs: 'one sequence',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      await one.session.renew(one.key('k'), 'one', 1000)
      await one.commit('k', 'x', { ...fence, epoch: (fence.epoch + 1) % 2 ** 32 })
      await one.session.release(one.key('k'), 'somebody else')
      const { sequence } = await one.read(['k'])
      assert.equal(sequence, fence.sequence, 'and counts nothing of it')
      await world.quiet(other)
      assert.deepEqual(other.messages, [])
    },
  },
  {
    name: 'tells nothing to other spaces, nor to a session that is closed',
    async run(world) {
      const [one, other] = await world.two()
      const elsewhere = await world.open(`${world.space}-elsewhere`)
      const closed = await world.open()
      await closed.session.close()
      await one.set('k', 'x')
      await world.eventually(() => other.messages.length > 0, 'the open session was told')
      await world.quiet(elsewhere)
      assert.deepEqual([elsewhere.messages, closed.messages], [[], []])
    },
  },
]

const released: Behaviour = {
  name: 'tells those who wait when a lease is given back',
  needs: ['bus', 'leases', 'one sequence'],
  async run(world) {
    const [one, other] = await world.two()
    const { sequence, epoch } = await one.begin('k', 'one')
    await one.session.release(one.key('k'), 'one')
    await world.eventually(() => other.messages.length > 0, 'the release was told')
    const [message] = other.messages
    assert.ok(message?.kind === 'released')
    assert.deepEqual([message.key, message.epoch], [one.key('k'), epoch])
    assert.ok(message.sequence === sequence || message.sequence === sequence + 1, 'without a gap')
    assert.equal((await other.read([])).sequence, message.sequence)
  },
}

export const busBehaviours: readonly Behaviour[] = [
  ...withBus.map((behaviour) => ({
    ...behaviour,
    needs: ['bus', ...[behaviour.needs ?? []].flat()] as const,
  })),
  released,
  {
    name: 'without a bus: tells nobody anything',
    needs: 'no bus',
    async run(world) {
      const [one, other] = await world.two()
      await announceEach(one)
      await world.quiet(other)
      assert.deepEqual([one.messages, other.messages], [[], []])
    },
  },
]
