import { describe, expect, it } from 'vitest'
import { LocalBudget, type LocalLevel } from '../../src/l1/local-level.ts'

/** A level as the budget sees it: its entries have one byte each. */
class Level {
  looks = 0
  evicted = 0
  #size = 0
  readonly #budget: LocalBudget

  constructor(budget: LocalBudget) {
    this.#budget = budget
    budget.add(this as unknown as LocalLevel)
  }

  get size(): number {
    this.looks++
    return this.#size
  }

  get bytes(): number {
    return this.size
  }

  put(count = 1): void {
    this.#size += count
    this.#budget.entries += count
    this.#budget.bytes += count
    this.#budget.enforce()
  }

  evictOldest(): void {
    this.#size--
    this.evicted++
    this.#budget.entries--
    this.#budget.bytes--
  }

  remove(): void {
    this.#budget.remove(this as unknown as LocalLevel)
  }
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
const make = (budget: LocalBudget, count: number) =>
  Array.from({ length: count }, () => new Level(budget))

describe.each([
  ['entries', () => new LocalBudget(10_000, Number.POSITIVE_INFINITY)],
  ['bytes', () => new LocalBudget(Number.POSITIVE_INFINITY, 10_000)],
])('a full L1 of many functions and namespaces, bound in %s', (_, makeBudget) => {
  it('looks at a few of them for each eviction', () => {
    const budget = makeBudget()
    const levels = make(budget, 10_000)
    for (const level of levels) level.put()
    const one = new Level(budget)
    const before = sum(levels.map((level) => level.looks))
    for (let i = 0; i < 1000; i++) one.put()
    expect(budget.entries).toBe(10_000)
    expect(sum(levels.map((level) => level.looks)) - before).toBeLessThan(20_000)
  })

  it('soon finds the one that scans, and makes it give up its own', () => {
    const budget = makeBudget()
    const levels = make(budget, 1000)
    for (const level of levels) level.put(10)
    const scanning = new Level(budget)
    for (let i = 0; i < 10_000; i++) scanning.put()
    expect(sum(levels.map((level) => level.evicted))).toBeLessThan(200)
    expect(budget.entries).toBe(10_000)
  })

  it('keeps the bound however few have anything, and whoever leaves', () => {
    const budget = makeBudget()
    const levels = make(budget, 1000)
    const last = levels.at(-1) as Level
    last.put(10_000)
    last.put(5)
    expect(budget.entries).toBe(10_000)
    last.remove()
    budget.entries = 0
    budget.bytes = 0
    levels[500]?.put(10_005)
    expect(levels[500]?.size).toBe(10_000)
  })

  it('ends even if entries are counted that no level has', () => {
    const budget = makeBudget()
    const [level] = make(budget, 1) as [Level]
    budget.entries = 10_001
    budget.bytes = 10_001
    level.put()
    expect(level.size).toBe(0)
  })
})

describe('up to sixteen functions', () => {
  it('always evict from the largest', () => {
    const budget = new LocalBudget(160, Number.POSITIVE_INFINITY)
    const levels = make(budget, 16)
    for (const [i, level] of levels.entries()) level.put(i === 7 ? 25 : 9)
    expect(budget.entries).toBe(160)
    for (let i = 0; i < 15; i++) levels[3]?.put()
    expect(levels.map(({ size }) => size)).toEqual(
      levels.map((_, i) => (i === 3 ? 17 : i === 7 ? 17 : 9)),
    )
  })
})
