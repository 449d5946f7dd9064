import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Stamp } from '../../src/contracts/store.ts'
import { StampTable } from '../../src/stores/stamp-table.ts'

describe('StampTable', () => {
  it('reads a tag that was never stamped as 0', () => {
    expect(new StampTable(2).get('t')).toEqual({ hard: 0, soft: 0 })
  })

  it('raises the floor of the mode that it drops, and only of that', () => {
    const table = new StampTable(2)
    table.set('a', 'soft', 1)
    table.set('b', 'hard', 2)
    table.set('c', 'hard', 3)
    expect(table.get('a')).toEqual({ hard: 0, soft: 1 })
    expect(table.get('never')).toEqual({ hard: 0, soft: 1 })
    expect([table.isNewer('never', 0), table.isNewer('never', 1)]).toEqual([true, false])
  })

  it('drops the tag stamped longest ago, not the one stamped first', () => {
    const table = new StampTable(2)
    table.set('a', 'hard', 1)
    table.set('b', 'hard', 2)
    table.set('a', 'hard', 3)
    table.set('c', 'hard', 4)
    expect(table.get('never')).toEqual({ hard: 2, soft: 0 })
  })

  it('never reads less than the stamps that were made, in any order and with any bound', () => {
    const step = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      fc.constantFrom('hard', 'soft'),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (max, steps) => {
        const table = new StampTable(max)
        const made = new Map<string, Stamp>()
        for (const [at, [tag, mode]] of steps.entries()) {
          table.set(tag, mode, at + 1)
          made.set(tag, { ...(made.get(tag) ?? { hard: 0, soft: 0 }), [mode]: at + 1 })
          for (const [name, stamp] of made) expectBetween(table.get(name), stamp, at + 1)
        }
      }),
    )
  })
})

function expectBetween(read: Stamp, least: Stamp, most: number): void {
  for (const mode of ['hard', 'soft'] as const) {
    expect(read[mode]).toBeGreaterThanOrEqual(least[mode])
    expect(read[mode]).toBeLessThanOrEqual(most)
  }
}
