import assert from 'node:assert/strict'
import type { Stamp } from '../contracts/store.ts'
import { LEASE_MS, type StoreUser } from './store-user.ts'
import type { Behaviour } from './store-world.ts'

const CHANGED = { stored: false, reason: 'tag-changed' } as const

const ODD_TAGS = ['', ' ', 'a', 'A', 'a:b', 'a%3Ab', '%', '\0', 'é', 'e\u0301', '🏷', '__proto__']

/** More than a store may be expected to remember one by one. */
const MANY_TAGS = 12_000
const TAGS_PER_STAMP = 1500

async function stampOf(user: StoreUser, tag: string): Promise<Stamp> {
  const [stamp] = (await user.read([], { tags: [tag] })).stamps
  assert.ok(stamp, 'there is a stamp for every tag that was asked for')
  return stamp
}

export const stampBehaviours: readonly Behaviour[] = [
  {
    name: 'stamps tags with the number it returns, hard and soft apart, never backwards',
    async run(world) {
      const user = await world.open()
      const { sequence: hard } = await user.session.stamp(['t', 'u'], 'hard')
      assert.equal((await stampOf(user, 't')).hard, hard)
      assert.ok((await stampOf(user, 't')).soft < hard)
      const { sequence: soft } = await user.session.stamp(['t'], 'soft')
      assert.deepEqual(await stampOf(user, 't'), { hard, soft })
      assert.equal((await stampOf(user, 'u')).hard, hard, 'an unrelated tag keeps its stamp')
      await user.set('k', 'x')
      assert.deepEqual(await stampOf(user, 't'), { hard, soft })
      const { sequence: again } = await user.session.stamp(['t'], 'hard')
      assert.ok(again > soft)
      assert.deepEqual(await stampOf(user, 't'), { hard: again, soft })
    },
  },
  {
    name: 'answers stamps in the order of the tags, odd ones too',
    async run(world) {
      const user = await world.open()
      const numbers: number[] = []
      for (const tag of ODD_TAGS) numbers.push((await user.session.stamp([tag], 'hard')).sequence)
      const tags = [...ODD_TAGS].reverse()
      const { stamps } = await user.read([], { tags })
      assert.deepEqual(
        stamps.map(({ hard }) => hard),
        numbers.reverse(),
      )
    },
  },
  {
    name: 'reads a tag that was never stamped as older than any load that starts now',
    async run(world) {
      const user = await world.open()
      await user.set('k', 'x')
      await user.session.stamp(['other'], 'hard')
      const { stamps, sequence } = await user.read(['k'], { tags: ['new'] })
      const first = stamps[0] as Stamp
      assert.ok(first.hard <= sequence && first.soft <= sequence, 'not newer than the present')
      const fence = await user.begin('k', 'token', ['new'])
      await user.session.stamp(['other'], 'hard')
      assert.deepEqual(await stampOf(user, 'new'), first, 'it stays what it was read as')
      assert.equal((await user.commit('k', 'y', fence)).stored, true)
    },
  },
  {
    name: 'never takes an invalidated tag for a valid one, however many were stamped since',
    needs: 'one sequence',
    async run(world) {
      const user = await world.open()
      const fence = await user.begin('k', 'token', ['hard', 'soft'])
      const { sequence: hard } = await user.session.stamp(['hard'], 'hard')
      const { sequence: soft } = await user.session.stamp(['soft'], 'soft')
      for (let from = 0; from < MANY_TAGS; from += TAGS_PER_STAMP) {
        const tags = Array.from({ length: TAGS_PER_STAMP }, (_, at) => `t${from + at}`)
        await user.session.stamp(tags, 'hard')
        // So many take longer than a lease lasts, where time passes by itself.
        await user.session.renew(user.key('k'), 'token', LEASE_MS)
      }
      assert.ok((await stampOf(user, 'hard')).hard >= hard)
      assert.ok((await stampOf(user, 'soft')).soft >= soft)
      assert.ok((await stampOf(user, 't0')).hard > soft)
      for (const tag of ['hard', 'soft']) {
        assert.deepEqual(await user.commit('k', 'old', { ...fence, tags: [tag] }), CHANGED)
      }
      const next = await user.begin('k', 'token', ['hard', 'soft', 't0', 'never stamped'])
      assert.equal((await user.commit('k', 'new', next)).stored, true, 'loads go on after that')
    },
  },
  {
    name: 'touches no entry when it stamps a tag',
    async run(world) {
      const user = await world.open()
      const names = Array.from({ length: 300 }, (_, at) => `n${at}`)
      await Promise.all(names.map((name) => user.set(name, name)))
      const before = await user.read(names)
      await user.session.stamp(['t'], 'hard')
      const after = await user.read(names)
      assert.deepEqual(
        after.records.map((record) => record?.version),
        before.records.map((record) => record?.version),
      )
    },
  },
  ...(['hard', 'soft'] as const).map((mode) => ({
    name: `refuses a commit when one of its tags got a ${mode} stamp during the load`,
    needs: 'one sequence' as const,
    async run(world: Parameters<Behaviour['run']>[0]) {
      const [one, other] = await world.two()
      await one.set('k', 'kept')
      const fence = await one.begin('k', 'one', ['t', 'u', 'v'])
      await other.session.stamp(['x', 'u'], mode)
      assert.deepEqual(await one.commit('k', 'from before', fence), CHANGED)
      assert.equal(await other.get('k'), 'kept')
    },
  })),
  {
    name: 'takes a commit whose tags were stamped before the load, or not at all',
    async run(world) {
      const [one, other] = await world.two()
      await other.session.stamp(['t'], 'hard')
      await other.session.stamp(['t'], 'soft')
      const fence = await one.begin('k', 'one', ['t'])
      await other.session.stamp(['unrelated', 'T', 't:t'], 'hard')
      await other.set('another', 'x')
      assert.equal((await one.commit('k', 'loaded', fence)).stored, true)
      assert.equal(await other.get('k'), 'loaded')
    },
  },
  {
    name: 'checks the tags that only the commit names',
    needs: 'one sequence',
    async run(world) {
      const [one, other] = await world.two()
      await other.session.stamp(['dynamic'], 'soft')
      const before = await one.begin('k', 'one')
      assert.equal((await one.commit('k', 'x', { ...before, tags: ['dynamic'] })).stored, true)
      const during = await one.begin('k', 'one')
      await other.session.stamp(['dynamic'], 'soft')
      assert.deepEqual(await one.commit('k', 'y', { ...during, tags: ['dynamic'] }), CHANGED)
    },
  },
  {
    name: 'refuses a commit of another epoch',
    needs: 'one sequence',
    async run(world) {
      const user = await world.open()
      const fence = await user.begin('k', 'token')
      const epoch = (fence.epoch + 1) % 2 ** 32
      assert.deepEqual(await user.commit('k', 'x', { ...fence, epoch }), {
        stored: false,
        reason: 'epoch-changed',
      })
      assert.equal(await user.get('k'), undefined)
    },
  },
  {
    name: 'stores a set whatever the stamps are',
    async run(world) {
      const user = await world.open()
      await user.session.stamp(['t'], 'hard')
      await user.set('k', 'x')
      assert.equal(await user.get('k'), 'x')
    },
  },
]
