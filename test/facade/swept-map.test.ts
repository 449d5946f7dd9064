import { expect, it } from 'vitest'
import { SweptMap } from '../../src/facade/swept-map.ts'

it('holds at most about twice what is needed, and looks at few values for each new one', () => {
  const needed = new Set<number>()
  let looks = 0
  const map = new SweptMap<number>((value) => {
    looks++
    return !needed.has(value)
  })
  for (let i = 0; i < 10_000; i++) {
    if (i % 100 === 0) needed.add(i)
    map.set(String(i), i)
    expect(map.size).toBeLessThanOrEqual(2 * needed.size + 65)
  }
  for (const value of needed) expect(map.get(String(value))).toBe(value)
  expect(looks).toBeLessThan(30_000)
})
