import { describe, expect, it } from 'vitest'
import type { FruitlessLoads } from '../../src/contracts/store.ts'
import { FruitlessWatch } from '../../src/read-path/fruitless-watch.ts'

const failure = { name: 'Error', message: 'down' }
const counts = (failed: number, unstored = 0): FruitlessLoads => ({ failed, failure, unstored })

describe('who waits for the loads of others', () => {
  it('gives up after three that failed while waiting, whatever had failed before', () => {
    const watch = new FruitlessWatch(counts(5))
    expect([watch.look(counts(6)), watch.look(counts(7))]).toEqual([undefined, undefined])
    expect(watch.look(counts(8))).toEqual(failure)
  })

  it('counts several that failed between two looks', () => {
    expect(new FruitlessWatch().look(counts(4))).toEqual(failure)
  })

  it('learns that a value may not be stored, from a load that ended while waiting', () => {
    const watch = new FruitlessWatch(counts(0, 2))
    expect(watch.look(counts(0, 2))).toBeUndefined()
    expect(watch.look(counts(0, 3))).toBe('unstored')
  })

  it('begins anew when the counts do: what they show then came after that', () => {
    const watch = new FruitlessWatch(counts(2, 1))
    expect(watch.look(undefined)).toBeUndefined()
    expect([watch.look(counts(1)), watch.look(counts(2))]).toEqual([undefined, undefined])
    expect(watch.look(counts(3))).toEqual(failure)
    const other = new FruitlessWatch(counts(2, 1))
    expect(other.look(counts(0, 0))).toBeUndefined()
    expect(other.look(counts(0, 1))).toBe('unstored')
  })

  it('has an error to show even where L2 knows none', () => {
    expect(new FruitlessWatch().look({ failed: 3, unstored: 0 })).toMatchObject({ name: 'Error' })
  })
})
