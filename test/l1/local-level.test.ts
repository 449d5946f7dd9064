import { describe, expect, it } from 'vitest'
import { ENTRY_COPY, ENTRY_ERROR, ENTRY_IN_L2, Entry } from '../../src/l1/entry.ts'
import {
  type LevelOwner,
  LocalBudget,
  type LocalKey,
  LocalLevel,
} from '../../src/l1/local-level.ts'

function aLevel(maxEntries: number) {
  const evicted: LocalKey[] = []
  const owner: LevelOwner & { lru?: unknown } = {
    evicted: (key) => void evicted.push(key),
    lruReplaced(lru) {
      this.lru = lru
    },
  }
  const budget = new LocalBudget(maxEntries, Number.POSITIVE_INFINITY)
  const level = new LocalLevel(budget, owner)
  const put = (count: number, from = 0) => {
    for (let i = from; i < from + count; i++) level.put(i, new Entry(`v${i}`, 0, 1, 0))
  }
  return { budget, evicted, level, owner, put }
}

describe('the entries of a function', () => {
  it('keep their order and their number when the level grows to its full size', () => {
    const { budget, evicted, level, owner, put } = aLevel(300)
    put(256)
    level.lru.get(0)
    put(44, 256)
    expect(owner.lru).toBe(level.lru)
    expect([level.size, budget.entries, evicted.length]).toEqual([300, 300, 0])
    put(1, 300)
    // Not 0: it was used last before the level grew.
    expect(evicted).toEqual([1])
    expect(budget.entries).toBe(300)
  })

  it('need no full size without a bound', () => {
    const { level, owner, put } = aLevel(Number.POSITIVE_INFINITY)
    put(1000)
    expect(level.size).toBe(1000)
    expect(owner.lru).toBeUndefined()
  })
})

describe('an entry', () => {
  it('keeps the duration of its load apart from its flags', () => {
    const entry = new Entry('v', 0, 1, 1234.4)
    entry.mark(ENTRY_COPY)
    entry.mark(ENTRY_IN_L2)
    expect(entry.loadMs).toBe(1234)
    expect([entry.has(ENTRY_COPY), entry.has(ENTRY_IN_L2), entry.has(ENTRY_ERROR)]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('takes loads of any length', () => {
    const entry = new Entry('v', 0, 1, 2 ** 40)
    expect(entry.loadMs).toBeGreaterThan(24 * 3_600_000)
    expect(entry.has(ENTRY_ERROR)).toBe(false)
  })

  it.each([ENTRY_ERROR, ENTRY_COPY])(
    'is slow when nobody can be handed its value as it is',
    (flag) => {
      const entry = new Entry('v', 0, 1, 0)
      expect(entry.isSlow).toBe(false)
      entry.mark(flag)
      expect(entry.isSlow).toBe(true)
    },
  )
})
