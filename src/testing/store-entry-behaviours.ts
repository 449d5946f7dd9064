import assert from 'node:assert/strict'
import { assertBytes } from './store-user.ts'
import type { Behaviour } from './store-world.ts'

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value)

/** Keys that one careless step (escaping, folding, cutting, normalising) would make equal or break. */
const ODD_NAMES = [
  '',
  ' ',
  '  ',
  'a',
  'A',
  'a:b',
  'a::b',
  'a%3Ab',
  'a%b',
  '%',
  '%00',
  '\0',
  'a\0',
  'a\0b',
  "a'b",
  'a"b',
  'a\\b',
  'a\nb',
  'a*',
  'a?',
  '{a}b',
  '../a',
  'é',
  'e\u0301',
  'ключ',
  '鍵',
  '🔑',
  '🔒',
  '__proto__',
  'constructor',
  'x'.repeat(1023),
  `${'x'.repeat(1023)}1`,
  `${'x'.repeat(1023)}2`,
]

export const entryBehaviours: readonly Behaviour[] = [
  {
    name: 'gives bytes back exactly: none, every value, 1 MiB',
    async run(world) {
      const user = await world.open()
      const large = Uint8Array.from({ length: 2 ** 20 }, (_, at) => (at * 31 + (at >> 8)) & 255)
      const contents = { none: new Uint8Array(0), every: everyByte, large }
      for (const [name, bytes] of Object.entries(contents)) {
        await user.set(name, bytes)
        assertBytes((await user.read([name])).records[0]?.bytes, bytes, name)
      }
    },
  },
  {
    name: 'writes the bytes of a view, not those of the buffer under it',
    async run(world) {
      const user = await world.open()
      await user.set('view', everyByte.subarray(100, 110))
      await user.set('buffer', Buffer.from(everyByte.buffer, 20, 5))
      const { records } = await user.read(['view', 'buffer'])
      assertBytes(records[0]?.bytes, everyByte.slice(100, 110), 'a view')
      assertBytes(records[1]?.bytes, everyByte.slice(20, 25), 'a Buffer')
    },
  },
  {
    name: 'answers many keys in their order, missing and repeated ones too',
    async run(world) {
      const user = await world.open()
      const names = Array.from({ length: 150 }, (_, at) => `n${(at * 67) % 150}`)
      await Promise.all(names.filter((_, at) => at % 3 > 0).map((name) => user.set(name, name)))
      const asked = [...names, 'n1', names[1] as string, names[1] as string]
      const { records, leases } = await user.read(asked)
      const written = new Set(names.filter((_, at) => at % 3 > 0))
      assert.deepEqual(
        records.map((record) => record && Buffer.from(record.bytes).toString()),
        asked.map((name) => (written.has(name) ? name : undefined)),
      )
      assert.equal(leases.length, asked.length)
      assert.ok(
        leases.every((lease) => lease === undefined),
        'a plain read leases nothing',
      )
    },
  },
  {
    name: 'keeps odd keys apart and whole',
    async run(world) {
      const user = await world.open()
      for (const [at, name] of ODD_NAMES.entries()) await user.set(name, `value ${at}`)
      const { records } = await user.read(ODD_NAMES)
      assert.deepEqual(
        records.map((record) => record && Buffer.from(record.bytes).toString()),
        ODD_NAMES.map((_, at) => `value ${at}`),
      )
    },
  },
  {
    name: 'forgets an entry at keepUntil',
    async run(world) {
      const user = await world.open()
      await user.set('short', 'x', { freshMs: 500, keepMs: 10_000 })
      await user.set('long', 'y', { freshMs: 500, keepMs: 50_000 })
      await world.advance(10_000 - world.leewayMs)
      assert.equal(await user.get('short'), 'x')
      await world.advance(2 * world.leewayMs)
      assert.equal(await user.get('short'), undefined)
      assert.equal(await user.get('long'), 'y')
    },
  },
  {
    name: 'keeps an entry that is past freshUntil',
    async run(world) {
      const user = await world.open()
      await user.set('k', 'stale but kept', { freshMs: 100, keepMs: 20_000 })
      await world.advance(15_000)
      assert.equal(await user.get('k'), 'stale but kept')
    },
  },
  {
    name: 'replaces the bytes and both instants when it is written again',
    async run(world) {
      const user = await world.open()
      await user.set('longer', 'old', { keepMs: 5000, freshMs: 50 })
      await user.set('longer', 'new', { keepMs: 50_000, freshMs: 50 })
      await user.set('shorter', 'old and longer', { keepMs: 50_000, freshMs: 50 })
      await user.set('shorter', 'new', { keepMs: 5000, freshMs: 50 })
      assert.equal(await user.get('shorter'), 'new')
      await world.advance(10_000)
      assert.equal(await user.get('longer'), 'new')
      assert.equal(await user.get('shorter'), undefined)
    },
  },
  {
    name: 'gives every write a higher version, and says which one a record has',
    needs: 'one sequence',
    async run(world) {
      const user = await world.open()
      let last = (await user.read([])).sequence
      for (let round = 0; round < 5; round++) {
        const version = await user.set('k', `round ${round}`)
        assert.ok(version > last, `version ${version} comes after ${last}`)
        const { records, sequence } = await user.read(['k'])
        assert.equal(records[0]?.version, version)
        assert.equal(sequence, version)
        last = version
      }
    },
  },
  {
    name: 'tells for each key where its numbers stand, whether it has an entry or not',
    needs: 'one sequence',
    async run(world) {
      const user = await world.open()
      await user.session.stamp(['t'], 'hard')
      const written = await user.set('k', 'x')
      const { positions } = await user.read(['k', 'missing'])
      assert.equal(positions.length, 2)
      assert.equal(positions[0]?.sequence, written)
      for (const { sequence, epoch } of positions) {
        assert.ok(Number.isSafeInteger(sequence) && sequence >= 0, 'a whole number')
        assert.ok(
          Number.isInteger(epoch) && epoch >= 0 && epoch < 2 ** 32,
          'the epoch fits 32 bits',
        )
      }
      const { sequence: deleted } = await user.delete('k')
      assert.equal((await user.read(['k'])).positions[0]?.sequence, deleted)
    },
  },
  {
    name: 'counts deletes and stamps in the same sequence',
    needs: 'one sequence',
    async run(world) {
      const user = await world.open()
      const numbers = [
        await user.set('k', 'x'),
        (await user.delete('k')).sequence,
        (await user.session.stamp(['t'], 'hard')).sequence,
        (await user.session.stamp(['t', 'u'], 'soft')).sequence,
        (await user.delete('never-there')).sequence,
        await user.set('k', 'y'),
      ]
      for (const [at, number] of numbers.entries()) {
        assert.ok(at === 0 || number > (numbers[at - 1] as number), `${numbers} increase`)
      }
      assert.equal((await user.read([])).sequence, numbers.at(-1))
    },
  },
  {
    name: 'deletes the named entries and no others',
    async run(world) {
      const user = await world.open()
      for (const name of ['a', 'b', 'c', 'a:b']) await user.set(name, name)
      await user.delete('a', 'c', 'never-there')
      const present = await Promise.all(['a', 'b', 'c', 'a:b'].map((name) => user.get(name)))
      assert.deepEqual(present, [undefined, 'b', undefined, 'a:b'])
      await user.set('a', 'again')
      assert.equal(await user.get('a'), 'again')
    },
  },
  {
    name: 'gives of an entry that the caller knows at least what it asked for, of others everything',
    async run(world) {
      const [one, other] = await world.two()
      const version = await one.set('k', everyByte)
      const keys = ['k', 'unknown', 'missing'].map((name) => one.key(name))
      await one.set('unknown', everyByte)
      const known = { versions: [version, undefined, version], bytes: 64 }
      const { records } = await other.session.read({ keys, tags: [], known })
      assert.equal(records[0]?.version, version)
      assertBytes(records[0]?.bytes.subarray(0, 64), everyByte.subarray(0, 64), 'a known entry')
      assertBytes(records[1]?.bytes, everyByte, 'an unknown entry')
      assert.equal(records[2], undefined)
      await one.set('k', everyByte.toReversed())
      const [next] = (await other.session.read({ keys, tags: [], known })).records
      assertBytes(next?.bytes, everyByte.toReversed(), 'an entry of another version')
    },
  },
  {
    name: 'answers empty requests',
    async run(world) {
      const user = await world.open()
      await user.set('k', 'x')
      const { sequence } = await user.read([])
      assert.ok((await user.session.delete([])).sequence >= sequence)
      assert.ok((await user.session.stamp([], 'hard')).sequence >= sequence)
      assert.equal(await user.get('k'), 'x')
    },
  },
]
