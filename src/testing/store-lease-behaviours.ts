import assert from 'node:assert/strict'
import { fruitlessBehaviours } from './store-fruitless-behaviours.ts'
import { LEASE_MS } from './store-user.ts'
import type { Behaviour } from './store-world.ts'

const REFUSED = { stored: false, reason: 'lease-lost' } as const

const withLeases: readonly Behaviour[] = [
  {
    name: 'leases a missing key to one, and tells the others that it is held',
    async run(world) {
      const [one, other] = await world.two()
      assert.equal(await one.lease('k', 'one'), 'granted')
      assert.equal(await other.lease('k', 'other'), 'held')
      assert.equal(await one.lease('k', 'second load of one'), 'held')
      assert.equal(await other.lease('another', 'other'), 'granted')
    },
  },
  {
    name: 'leases nothing on a plain read',
    async run(world) {
      const user = await world.open()
      await user.read(['k'])
      assert.equal(await user.lease('k', 'token'), 'granted')
      assert.equal((await user.read(['k'])).leases[0], undefined)
    },
  },
  {
    name: 'leases by freshUntil, and still gives the stale bytes',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'value', { freshMs: 10_000, keepMs: 60_000 })
      await world.advance(10_000 - world.leewayMs)
      assert.equal(await one.lease('k', 'one'), undefined, 'a fresh entry needs no load')
      await world.advance(2 * world.leewayMs)
      assert.equal(await one.lease('k', 'one'), 'granted')
      assert.equal(await other.lease('k', 'other'), 'held')
      assert.equal(await other.get('k'), 'value')
    },
  },
  {
    name: 'leases an entry that is past keepUntil',
    async run(world) {
      const user = await world.open()
      await user.set('k', 'value', { freshMs: 100, keepMs: 100 })
      await world.advance(100 + world.leewayMs)
      const lease = { token: 'token', ms: LEASE_MS, when: 'stale' } as const
      const { records, leases } = await user.read(['k'], { lease })
      assert.deepEqual([records[0], leases[0]], [undefined, 'granted'])
    },
  },
  {
    name: 'leases a fresh entry when asked to always, unless another holds it',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'value')
      assert.equal(await one.lease('k', 'one', { when: 'always' }), 'granted')
      assert.equal(await other.lease('k', 'other', { when: 'always' }), 'held')
    },
  },
  {
    name: 'answers for each key of one request, with one token for all',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('fresh', 'x')
      await one.set('stale', 'x', { freshMs: 1, keepMs: 60_000 })
      await world.advance(1 + world.leewayMs)
      await other.lease('held', 'other')
      const lease = { token: 'one', ms: LEASE_MS, when: 'stale' } as const
      const { leases } = await one.read(['fresh', 'missing', 'held', 'stale', 'missing'], { lease })
      assert.deepEqual(leases, [undefined, 'granted', 'held', 'granted', 'granted'])
      assert.equal(await one.session.renew(one.key('missing'), 'one', LEASE_MS), true)
      assert.equal(await one.session.renew(one.key('stale'), 'one', LEASE_MS), true)
      assert.equal(await one.session.renew(one.key('fresh'), 'one', LEASE_MS), false)
      assert.equal(await one.session.renew(one.key('held'), 'one', LEASE_MS), false)
    },
  },
  {
    name: 'grants the same token again, for its full time from then',
    async run(world) {
      const [one, other] = await world.two()
      await one.lease('k', 'one')
      await world.advance(LEASE_MS - 2 * world.leewayMs)
      assert.equal(await one.lease('k', 'one'), 'granted')
      await world.advance(LEASE_MS - 2 * world.leewayMs)
      assert.equal(await other.lease('k', 'other'), 'held')
    },
  },
  {
    name: 'gives a lease that has run out to another, and the old holder may not commit',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      await world.advance(LEASE_MS - world.leewayMs)
      assert.equal(await other.lease('k', 'other'), 'held')
      await world.advance(2 * world.leewayMs)
      const next = await other.begin('k', 'other')
      assert.deepEqual(await one.commit('k', 'too late', fence), REFUSED)
      assert.equal(await other.get('k'), undefined)
      assert.equal((await other.commit('k', 'in time', next)).stored, true)
      assert.equal(await one.get('k'), 'in time')
    },
  },
  {
    name: 'refuses a commit after the lease has run out even if nobody took it',
    async run(world) {
      const user = await world.open()
      const fence = await user.begin('k', 'token')
      await world.advance(LEASE_MS + world.leewayMs)
      assert.deepEqual(await user.commit('k', 'too late', fence), REFUSED)
      assert.equal(await user.session.renew(user.key('k'), 'token', LEASE_MS), false)
      assert.deepEqual(await user.commit('k', 'too late', fence), REFUSED)
      assert.equal(await user.get('k'), undefined)
    },
  },
  {
    name: 'refuses a commit by a token that never had the lease, or by none',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'kept')
      const { sequence, epoch } = await one.begin('k', 'one')
      const fence = { sequence, epoch, tags: [] }
      assert.deepEqual(await other.commit('k', 'x', { ...fence, token: 'other' }), REFUSED)
      assert.deepEqual(await other.commit('k', 'x', fence), REFUSED)
      assert.deepEqual(await other.commit('free', 'x', { ...fence, token: 'other' }), REFUSED)
      assert.equal(await one.get('k'), 'kept')
      assert.equal(await one.get('free'), undefined)
    },
  },
  {
    name: 'makes a lease last from its renewal, for its holder only',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      await world.advance(LEASE_MS - 2 * world.leewayMs)
      assert.equal(await other.session.renew(other.key('k'), 'other', LEASE_MS), false)
      assert.equal(await one.session.renew(one.key('k'), 'one', 2 * LEASE_MS), true)
      await world.advance(2 * LEASE_MS - 2 * world.leewayMs)
      assert.equal(await other.lease('k', 'other'), 'held')
      assert.equal((await one.commit('k', 'slow', fence)).stored, true)
      assert.equal(await one.session.renew(one.key('k'), 'one', LEASE_MS), false)
    },
  },
  {
    name: 'frees a lease that its holder gives back, and nobody else',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      assert.equal(await other.session.release(other.key('k'), 'other'), undefined)
      assert.equal(await other.lease('k', 'other'), 'held')
      await one.session.release(one.key('k'), 'one')
      assert.deepEqual(await one.commit('k', 'given up', fence), REFUSED)
      assert.equal(await other.lease('k', 'other'), 'granted')
      await one.session.release(one.key('k'), 'one')
      assert.equal(await one.lease('k', 'one'), 'held', 'the lease of another stays')
    },
  },
  {
    name: 'drops the lease of a key that is deleted, even of one without an entry',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      await other.delete('k', 'never-there')
      assert.deepEqual(await one.commit('k', 'from before', fence), REFUSED)
      assert.equal(await one.get('k'), undefined)
      assert.equal(await other.lease('k', 'other'), 'granted')
    },
  },
  {
    name: 'drops the lease of a key that is set',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      await other.set('k', 'newer')
      assert.deepEqual(await one.commit('k', 'from before', fence), REFUSED)
      assert.equal(await one.get('k'), 'newer')
      assert.equal(await other.lease('k', 'other', { when: 'always' }), 'granted')
    },
  },
  {
    name: 'drops the lease with the commit, and takes no second commit',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'one')
      const reply = await one.commit('k', 'loaded', fence)
      assert.ok(reply.stored && reply.version > fence.sequence, 'a commit has a version of its own')
      assert.equal((await other.read(['k'])).records[0]?.version, reply.version)
      assert.equal(await other.lease('k', 'other', { when: 'always' }), 'granted')
      assert.deepEqual(await one.commit('k', 'twice', fence), REFUSED)
      assert.equal(await other.get('k'), 'loaded')
    },
  },
  {
    name: 'keeps the lease of an entry that expires meanwhile',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'old', { freshMs: 1, keepMs: 500 })
      const fence = await one.begin('k', 'one')
      await world.advance(600)
      assert.equal(await other.lease('k', 'other'), 'held')
      assert.equal((await one.commit('k', 'new', fence)).stored, true)
    },
  },
  {
    name: 'grants one of many that ask at once',
    async run(world) {
      const [one, other] = await world.two()
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, at) => (at % 2 ? one : other).lease('k', `token ${at}`)),
      )
      assert.equal(answers.filter((answer) => answer === 'granted').length, 1)
      assert.equal(answers.filter((answer) => answer === 'held').length, 59)
    },
  },
]

const withoutLeases: readonly Behaviour[] = [
  {
    name: 'without leases: grants none, renews none, and releasing does nothing',
    async run(world) {
      const user = await world.open()
      await user.set('k', 'x')
      const lease = { token: 'token', ms: LEASE_MS, when: 'always' } as const
      assert.deepEqual((await user.read(['k', 'missing'], { lease })).leases, [
        undefined,
        undefined,
      ])
      assert.equal(await user.session.renew(user.key('k'), 'token', LEASE_MS), false)
      assert.equal(await user.session.release(user.key('k'), 'token'), undefined)
      assert.equal(await user.get('k'), 'x')
    },
  },
  {
    name: 'without leases: takes commits on stamps alone, however slow the load was',
    async run(world) {
      const [one, other] = await world.two()
      const fence = await one.begin('k', 'unused', ['t'])
      await world.advance(60_000)
      await other.session.stamp(['unrelated'], 'hard')
      assert.equal((await one.commit('k', 'loaded', fence)).stored, true)
      assert.equal(await other.get('k'), 'loaded')
    },
  },
]

export const leaseBehaviours: readonly Behaviour[] = [
  ...[...withLeases, ...fruitlessBehaviours].map((behaviour) => ({
    ...behaviour,
    needs: 'leases' as const,
  })),
  ...withoutLeases.map((behaviour) => ({ ...behaviour, needs: 'no leases' as const })),
]
