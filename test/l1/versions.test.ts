import { describe, expect, it } from 'vitest'
import { ENTRY_COPY, ENTRY_IN_L2, Entry, EntryMeta } from '../../src/l1/entry.ts'
import { EpochNumbers } from '../../src/l1/epoch-numbers.ts'

function anEntry(loadMs = 1234): Entry {
  const entry = new Entry('v', 0, 1, loadMs)
  entry.meta = new EntryMeta(undefined, 0, 0)
  return entry
}

describe('the version of an entry', () => {
  it('is remembered with the number of its epoch, apart from all else', () => {
    const entry = anEntry()
    expect([entry.version, entry.epochNumber]).toEqual([undefined, 0])
    entry.mark(ENTRY_COPY)
    entry.isVersion(2 ** 40, 127)
    entry.mark(ENTRY_IN_L2)
    expect([entry.version, entry.epochNumber, entry.loadMs]).toEqual([2 ** 40, 127, 1234])
    expect([entry.has(ENTRY_COPY), entry.has(ENTRY_IN_L2)]).toEqual([true, true])
    entry.isVersion(7, 1)
    expect([entry.version, entry.epochNumber]).toEqual([7, 1])
  })

  it('is forgotten when the origin fails, and with it the time of the next try', () => {
    const entry = anEntry()
    const meta = entry.meta as EntryMeta
    entry.isVersion(7, 1)
    expect(meta.retryAt).toBe(0)
    meta.retryAt = 5000
    expect([entry.version, meta.retryAt]).toEqual([undefined, 5000])
    entry.isVersion(8, 1)
    expect([entry.version, meta.retryAt]).toEqual([8, 0])
  })

  it('is none of an entry that L2 never had', () => {
    const entry = new Entry('v', 0, 1, 0)
    entry.isVersion(7, 1)
    expect(entry.version).toBeUndefined()
  })

  it.each([0, 1, 131_071, 131_072, 10 ** 6, 10 ** 8, 2 ** 31 - 1])(
    'leaves the duration of a load as it was (%i ms)',
    (loadMs) => {
      const entry = anEntry(loadMs)
      entry.isVersion(7, 127)
      expect(entry.loadMs).toBeLessThanOrEqual(loadMs)
      expect(entry.loadMs).toBeGreaterThanOrEqual(loadMs * (1 - 2 ** -16))
    },
  )
})

describe('the numbers of epochs', () => {
  it('are small, one for each, and stay', () => {
    const numbers = new EpochNumbers()
    const epochs = Array.from({ length: 127 }, (_, i) => i * 31_337)
    const first = epochs.map((epoch) => numbers.of(epoch))
    expect(new Set(first).size).toBe(127)
    expect([Math.min(...first), Math.max(...first)]).toEqual([1, 127])
    expect(epochs.map((epoch) => numbers.of(epoch))).toEqual(first)
  })

  it('go round when there are too many', () => {
    const numbers = new EpochNumbers()
    for (let epoch = 0; epoch < 127; epoch++) numbers.of(epoch)
    expect(numbers.of(1000)).toBe(1)
    expect(numbers.of(0)).toBe(2)
    expect(numbers.of(2)).toBe(3)
  })

  it('are others after a server may have set its sequences back', () => {
    const numbers = new EpochNumbers()
    const before = [numbers.of(7), numbers.of(8)]
    numbers.forget()
    const after = [numbers.of(7), numbers.of(8)]
    expect(new Set([...before, ...after]).size).toBe(4)
  })
})
