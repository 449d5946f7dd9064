import assert from 'node:assert/strict'
import type { FruitlessLoads, LoadEnd } from '../contracts/store.ts'
import { LEASE_MS, type StoreUser } from './store-user.ts'
import type { Behaviour } from './store-world.ts'

/** Longer than any store needs to remember how loads ended. */
const FORGOTTEN_MS = 60_000

/** For stores that keep count of loads that stored nothing; those that do not never say so. */
export const fruitlessBehaviours: readonly Behaviour[] = [
  {
    name: 'counts how loads ended that stored nothing, for whoever asks for the lease',
    async run(world) {
      const [one, other] = await world.two()
      const look = await asked(one, 'k', 'one')
      if (!look) return
      assert.equal(look.fruitless, undefined, 'nothing has ended yet')
      await end(one, 'k', 'one', failed('first'))
      await asked(other, 'k', 'two')
      await end(other, 'k', 'two', failed('second'))
      await asked(one, 'k', 'three')
      assert.deepEqual((await asked(other, 'k', 'waiting'))?.fruitless, {
        failed: 2,
        failure: { name: 'Error', message: 'second', code: 'E_SECOND' },
        unstored: 0,
      })
      await end(one, 'k', 'three', { kind: 'unstored' })
      const after = (await asked(one, 'k', 'four'))?.fruitless
      assert.deepEqual([after?.failed, after?.unstored], [2, 1])
      assert.equal((await asked(one, 'another', 'five'))?.fruitless, undefined)
    },
  },
  {
    name: 'does not count a load that was given up, or one that had no lease',
    async run(world) {
      const [one, other] = await world.two()
      if (!(await asked(one, 'k', 'one'))) return
      await end(other, 'k', 'other', failed('no lease'))
      await end(one, 'k', 'one', { kind: 'unused' })
      await asked(one, 'k', 'two')
      await one.session.release(one.key('k'), 'two')
      const look = await asked(one, 'k', 'three')
      assert.equal((look?.fruitless?.failed ?? 0) + (look?.fruitless?.unstored ?? 0), 0)
      await world.advance(LEASE_MS + 1)
      await end(one, 'k', 'three', failed('its lease has run out'))
      assert.equal((await asked(one, 'k', 'four'))?.fruitless?.failed ?? 0, 0)
    },
  },
  {
    name: 'begins to count anew when something is stored or deleted',
    async run(world) {
      const user = await world.open()
      for (const [key, act] of [
        ['set', () => user.set('set', 'x', { freshMs: 0, keepMs: 60_000 })],
        ['deleted', () => user.delete('deleted')],
      ] as const) {
        if (!(await asked(user, key, 'one'))) return
        await end(user, key, 'one', failed('before'))
        await end(user, key, 'one', { kind: 'unstored' })
        await act()
        const { fruitless } = (await asked(user, key, 'two')) ?? {}
        assert.equal((fruitless?.failed ?? 0) + (fruitless?.unstored ?? 0), 0, key)
      }
      if (!(await asked(user, 'committed', 'one'))) return
      await end(user, 'committed', 'one', failed('before'))
      const fence = await user.begin('committed', 'two')
      assert.equal((await user.commit('committed', 'x', fence)).stored, true)
      const { fruitless } = (await asked(user, 'committed', 'three')) ?? {}
      assert.equal(fruitless?.failed ?? 0, 0)
    },
  },
  {
    name: 'forgets how loads ended after a while, but not while the next one runs',
    async run(world) {
      const user = await world.open()
      if (!(await asked(user, 'k', 'one'))) return
      await end(user, 'k', 'one', failed('first'))
      await asked(user, 'k', 'two')
      for (let turn = 0; turn < 20; turn++) {
        await world.advance(LEASE_MS / 2)
        assert.equal(await user.session.renew(user.key('k'), 'two', LEASE_MS), true)
      }
      assert.equal((await asked(user, 'k', 'waiting'))?.fruitless?.failed, 1)
      await end(user, 'k', 'two', failed('second'))
      await world.advance(FORGOTTEN_MS)
      assert.equal((await asked(user, 'k', 'three'))?.fruitless?.failed ?? 0, 0)
    },
  },
]

function failed(message: string): LoadEnd {
  const code = `E_${message.toUpperCase().replaceAll(' ', '_')}`
  return { kind: 'failed', failure: { name: 'Error', message, code } }
}

function end(user: StoreUser, name: string, token: string, loadEnd: LoadEnd): Promise<void> {
  return user.session.release(user.key(name), token, loadEnd)
}

/** What a request for the lease is told about earlier loads; `undefined`: the store keeps no count. */
async function asked(
  user: StoreUser,
  name: string,
  token: string,
): Promise<{ fruitless: FruitlessLoads | undefined } | undefined> {
  const lease = { token, ms: LEASE_MS, when: 'always' } as const
  const { fruitless } = await user.read([name], { lease })
  return fruitless && { fruitless: fruitless[0] }
}
