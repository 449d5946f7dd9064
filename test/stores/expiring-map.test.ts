import { describe, expect, it } from 'vitest'
import { ExpiringMap } from '../../src/stores/expiring-map.ts'

describe('ExpiringMap', () => {
  it('has an item until its instant', () => {
    const map = new ExpiringMap<{ until: number }>()
    map.set('a', { until: 10 }, 0)
    expect(map.get('a', 9)).toEqual({ until: 10 })
    expect(map.get('a', 10)).toBeUndefined()
    map.set('b', { until: Number.POSITIVE_INFINITY }, 0)
    expect(map.get('b', 1e15)).toBeDefined()
  })

  it('pushes out what was written longest ago, a rewrite being new', () => {
    const map = new ExpiringMap<{ until: number }>(2)
    map.set('a', { until: 10 }, 0)
    map.set('b', { until: 10 }, 0)
    map.set('a', { until: 10 }, 0)
    map.set('c', { until: 10 }, 0)
    expect(['a', 'b', 'c'].map((key) => map.get(key, 0) !== undefined)).toEqual([true, false, true])
    expect(map.size).toBe(2)
  })

  it('does not fill up with ended items that nobody asks for', () => {
    const map = new ExpiringMap<{ until: number }>()
    let largest = 0
    for (let now = 0; now < 10_000; now++) {
      map.set(`never asked again ${now}`, { until: now + 100 }, now)
      largest = Math.max(largest, map.size)
    }
    expect(largest).toBeLessThan(300)
  })

  it('finds the ended among many that stay, also while these are rewritten', () => {
    const map = new ExpiringMap<{ until: number }>()
    for (let n = 0; n < 50; n++) map.set(`ends ${n}`, { until: 10 }, 0)
    for (let n = 0; n < 50; n++) map.set(`stays ${n}`, { until: 1e9 }, 0)
    for (let n = 0; n < 200; n++) map.set(`stays ${n % 50}`, { until: 1e9 }, 11)
    expect(map.size).toBe(50)
  })
})
