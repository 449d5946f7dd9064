import assert from 'node:assert/strict'
import type { StoreUser } from './store-user.ts'
import type { Behaviour } from './store-world.ts'

export const sharingBehaviours: readonly Behaviour[] = [
  {
    name: 'shows each session what the others wrote, deleted and stamped',
    async run(world) {
      const [one, other] = await world.two()
      await one.set('k', 'from one')
      assert.equal(await other.get('k'), 'from one')
      await other.set('k', 'from the other')
      assert.equal(await one.get('k'), 'from the other')
      await one.delete('k')
      assert.equal(await other.get('k'), undefined)
      const { sequence } = await one.session.stamp(['t'], 'hard')
      const seen = await other.read([], { tags: ['t'] })
      assert.equal(seen.stamps[0]?.hard, sequence)
      assert.equal(seen.sequence, sequence)
      assert.equal(seen.epoch, (await one.read([])).epoch)
    },
  },
  {
    name: 'keeps spaces apart',
    async run(world) {
      const here = await world.open()
      const there = await world.open(`${world.space}-there`)
      await there.set('k', 'there')
      const before = await there.read(['k'], { tags: ['t'] })
      await here.set('k', 'here')
      await here.session.stamp(['t'], 'hard')
      await here.delete('k')
      const after = await there.read(['k'], { tags: ['t'] })
      assert.equal(after.sequence, before.sequence, 'one sequence per space')
      assert.deepEqual(after.stamps, before.stamps, 'the stamps of a space are its own')
      assert.equal(await there.get('k'), 'there')
    },
  },
  {
    name: 'settles many operations at once without losing or mixing up any',
    async run(world) {
      const users = await world.two()
      const names = Array.from({ length: 10 }, (_, at) => `n${at}`)
      const written: { name: string; content: string; version: number }[] = []
      await Promise.all(
        Array.from({ length: 200 }, async (_, at) => {
          const user = users[at % 2] as StoreUser
          const name = names[at % names.length] as string
          const content = `${name} by operation ${at}`
          if (at % 5 === 4) {
            await user.session.stamp([`t${at}`], 'soft')
          } else {
            written.push({ name, content, version: await user.set(name, content) })
          }
          const seen = await user.get(name)
          assert.ok(seen === undefined || seen.startsWith(`${name} `), 'keys are not mixed up')
        }),
      )
      if (world.store.supports.atomic && !world.partitioned) {
        const versions = new Set(written.map(({ version }) => version))
        assert.equal(versions.size, written.length, 'no two writes share a version')
      }
      for (const name of names) {
        const writes = written.filter((write) => write.name === name)
        const last = writes.reduce<(typeof writes)[number] | undefined>(
          (newest, write) => (newest && newest.version > write.version ? newest : write),
          undefined,
        )
        const content = await users[0].get(name)
        if (world.store.supports.atomic) assert.equal(content, last?.content)
        else assert.ok(writes.some((write) => write.content === content) || writes.length === 0)
      }
    },
  },
]
