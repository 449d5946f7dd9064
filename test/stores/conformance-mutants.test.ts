import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/contracts/store.ts'
import { memory } from '../../src/stores/memory-store.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'
import { type Mutation, mutatedMemory } from './mutated-memory.ts'

const SPACE = 'memory-space.ts'
const TABLE = 'stamp-table.ts'

/** Memory stores that are wrong in one place; the suite must tell each from a right one. */
const MUTANTS: Record<string, Mutation> = {
  'commit ignores the lease': {
    file: SPACE,
    from: "if (!this.#holds(key, token, now)) return 'lease-lost'",
    to: '',
  },
  'delete keeps the lease': {
    file: SPACE,
    from: 'this.#entries.delete(key)\n      this.#leases.delete(key)',
    to: 'this.#entries.delete(key)',
  },
  'commit ignores the stamps': {
    file: SPACE,
    from: "return 'tag-changed'",
    to: 'return undefined',
  },
  'an expired lease still commits': {
    file: SPACE,
    from: 'const lease = this.#leases.get(key, now)',
    to: 'const lease = this.#leases.get(key, 0)',
  },
  'a stamp that was dropped reads as never made': {
    file: TABLE,
    from: '?? this.#floor',
    to: '?? { hard: 0, soft: 0 }',
  },
  'a write does not count': {
    file: SPACE,
    from: 'const version = ++this.#sequence',
    to: 'const version = this.#sequence',
  },
  'a write keeps the lease': {
    file: SPACE,
    from: 'this.#leases.delete(key)\n    return { stored: true',
    to: 'return { stored: true',
  },
  'keys without an entry have no position': {
    file: SPACE,
    from: 'positions: keys.map(() => position)',
    to: 'positions: entries.flatMap((entry) => (entry ? [position] : []))',
  },
  'positions lag behind': {
    file: SPACE,
    from: 'positions: keys.map(() => position)',
    to: 'positions: keys.map(() => ({ ...position, sequence: Math.max(0, position.sequence - 1) }))',
  },
  'commit ignores the epoch': {
    file: SPACE,
    from: "if (epoch !== this.epoch) return 'epoch-changed'",
    to: '',
  },
  'commit ignores soft stamps': {
    file: TABLE,
    from: 'hard > sequence || soft > sequence',
    to: 'hard > sequence',
  },
  'the floor forgets soft stamps': {
    file: TABLE,
    from: 'soft: Math.max(this.#floor.soft, soft)',
    to: 'soft: 0',
  },
  'entries and leases never end': {
    file: 'expiring-map.ts',
    from: 'item && now < item.until ? item : undefined',
    to: 'item',
  },
  'fresh entries are leased': {
    file: SPACE,
    from: "when === 'stale' && entry && now < entry.freshUntil",
    to: "when === 'stale' && entry && now < 0",
  },
  'stale entries are not leased': {
    file: SPACE,
    from: 'entry && now < entry.freshUntil',
    to: 'entry',
  },
  'a token that holds the lease is told that it is held': {
    file: SPACE,
    from: 'holder && holder.token !== token',
    to: 'holder',
  },
  'a lease is granted twice': {
    file: SPACE,
    from: "return 'held'",
    to: "return 'granted'",
  },
  'anybody renews and releases': {
    file: SPACE,
    from: 'lease !== undefined && lease.token === token',
    to: 'lease !== undefined',
  },
  'a release is silent': {
    file: 'memory-session.ts',
    from: 'if (space.release(key, token, end, this.#now()))',
    to: 'if (!space.release(key, token, end, this.#now()) && key === token)',
  },
  'a failed load is not counted': {
    file: 'fruitless-table.ts',
    from: 'failed + 1',
    to: 'failed',
  },
  'an unstored load is not counted': {
    file: 'fruitless-table.ts',
    from: 'unstored + 1',
    to: 'unstored',
  },
  'a load without use is counted': {
    file: 'fruitless-table.ts',
    from: "if (end.kind === 'unused') return",
    to: "if (end.kind === 'unused') end = { kind: 'unstored' }",
  },
  'what is stored does not end the series of fruitless loads': {
    file: SPACE,
    from: 'this.#fruitless.delete(key)\n    this.#leases.delete(key)\n    return',
    to: 'this.#leases.delete(key)\n    return',
  },
  'what is deleted does not end the series of fruitless loads': {
    file: SPACE,
    from: 'this.#fruitless.delete(key)\n      this.#entries',
    to: 'this.#entries',
  },
  'fruitless loads are never forgotten': {
    file: 'fruitless-table.ts',
    from: 'now + REMEMBERED_MS',
    to: 'Number.POSITIVE_INFINITY',
  },
  'fruitless loads are forgotten while the next one runs': {
    file: 'fruitless-table.ts',
    from: 'Math.max(counted.until, now + ms)',
    to: 'counted.until',
  },
  'the last failure is not told': {
    file: 'fruitless-table.ts',
    from: '...(last ? { failure: last } : {})',
    to: '...(failure ? { failure } : {})',
  },
  'a known version is not compared': {
    file: SPACE,
    from: 'if (known !== record.version) return record',
    to: 'if (known === undefined) return record',
  },
  'the sender is told too': {
    file: 'memory-channel.ts',
    from: 'if (listener === sender) continue',
    to: '',
  },
  'spaces are one': {
    file: 'memory-store.ts',
    from: 'channelOf(context.space)',
    to: "channelOf('')",
  },
  'a closed session goes on': {
    file: 'memory-session.ts',
    from: 'if (this.#closed) {',
    to: 'if (this.#closed && Object.is(this, undefined)) {',
  },
  'bytes of the whole buffer are kept': {
    file: SPACE,
    from: '{ record: { bytes, version }',
    to: '{ record: { bytes: new Uint8Array(bytes.buffer), version }',
  },
}

/** The names of the behaviours that a store fails. */
async function failuresOf(makeStore: () => Store): Promise<string[]> {
  const tests: { name: string; run: () => Promise<void> }[] = []
  storeConformance({ test: (name, run) => tests.push({ name, run }), makeStore })
  const failures: string[] = []
  for (const { name, run } of tests) {
    await run().catch(() => failures.push(name))
  }
  return failures
}

describe('storeConformance', () => {
  it('passes the store that is right', async () => {
    expect(await failuresOf(() => memory())).toEqual([])
  })

  it.each(Object.keys(MUTANTS))('fails a store where %s', async (name) => {
    const failures = await failuresOf(await mutatedMemory(MUTANTS[name] as Mutation))
    expect(failures).not.toEqual([])
    // The random operations alone would do for most; the named behaviours must see it themselves.
    expect(failures.filter((failure) => !failure.includes('random operations'))).not.toEqual([])
  })
})
