import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/l2/journal.ts'

/** All that would be told again now, in order. */
function told(journal: Journal): Array<[kind: string, ...names: string[]]> {
  const replays: Array<[string, ...string[]]> = []
  const until = journal.last
  for (let next = journal.next(until); next; next = journal.next(until)) {
    replays.push([next.kind, ...next.names])
    journal.acknowledged(next)
  }
  return replays
}

describe('the journal', () => {
  it('doubts what is under way but does not tell it again', () => {
    const journal = new Journal()
    const intent = journal.begin('key', ['a', 'b'])
    expect(journal.doubts(['b'], [])).toBe('hard')
    expect(journal.doubts(['c'], ['a'])).toBeUndefined()
    expect([journal.isEmpty, journal.hasFailed]).toEqual([false, false])
    expect(told(journal)).toEqual([])
    journal.acknowledged(intent)
    expect(journal.isEmpty).toBe(true)
  })

  it('tells again what failed, once, and doubts it until then', () => {
    const journal = new Journal()
    journal.failed(journal.begin('key', ['a']))
    journal.failed(journal.begin('key', ['a']))
    expect(journal.doubts(['a'], [])).toBe('hard')
    expect(told(journal)).toEqual([['key', 'a']])
    expect(journal.isEmpty).toBe(true)
  })

  it('settles earlier failures with a later acknowledgement of the same name only', () => {
    const journal = new Journal()
    journal.failed(journal.begin('key', ['a']))
    journal.failed(journal.begin('key', ['b']))
    journal.acknowledged(journal.begin('key', ['a']))
    expect(told(journal)).toEqual([['key', 'b']])
  })

  it('does not settle later failures with an earlier acknowledgement', () => {
    const journal = new Journal()
    const earlier = journal.begin('key', ['a'])
    journal.failed(journal.begin('key', ['a']))
    journal.acknowledged(earlier)
    expect(told(journal)).toEqual([['key', 'a']])
  })

  it('keeps nothing of an intent that fails after a later one was acknowledged', () => {
    const journal = new Journal()
    const slow = journal.begin('key', ['a', 'b'])
    journal.acknowledged(journal.begin('key', ['a']))
    expect(journal.doubts(['a'], [])).toBeUndefined()
    expect(journal.doubts(['b'], [])).toBe('hard')
    journal.failed(slow)
    expect(told(journal)).toEqual([['key', 'b']])
  })

  it('keeps what failed while its replay was under way', () => {
    const journal = new Journal()
    journal.failed(journal.begin('key', ['a']))
    const replay = journal.next(journal.last)
    journal.failed(journal.begin('key', ['a']))
    if (replay) journal.acknowledged(replay)
    expect(journal.doubts(['a'], [])).toBe('hard')
    expect(told(journal)).toEqual([['key', 'a']])
  })

  it('keeps a hard failure that came while the soft one was told again', () => {
    const journal = new Journal()
    journal.failed(journal.begin('soft', ['t']))
    const replay = journal.next(journal.last)
    journal.failed(journal.begin('hard', ['t']))
    if (replay) journal.acknowledged(replay)
    expect(journal.doubts([], ['t'])).toBe('hard')
    expect(told(journal)).toEqual([['hard', 't']])
  })

  it.each([
    ['soft then hard', ['soft', 'hard'], [['hard', 't']]],
    ['hard then soft', ['hard', 'soft'], [['hard', 't']]],
    ['soft alone', ['soft', 'soft'], [['soft', 't']]],
  ] as const)('tells a tag again in its strongest mode: %s', (_, modes, expected) => {
    const journal = new Journal()
    for (const mode of modes) journal.failed(journal.begin(mode, ['t']))
    expect(journal.doubts([], ['t'])).toBe(expected[0][0])
    expect(told(journal)).toEqual(expected)
    expect(journal.isEmpty).toBe(true)
  })

  it('settles a soft failure with a hard acknowledgement, not the other way round', () => {
    const journal = new Journal()
    journal.failed(journal.begin('soft', ['t']))
    journal.acknowledged(journal.begin('hard', ['t']))
    expect(journal.isEmpty).toBe(true)
    journal.failed(journal.begin('hard', ['t']))
    journal.acknowledged(journal.begin('soft', ['t']))
    expect(journal.doubts([], ['t'])).toBe('hard')
  })

  it('leaves alone a key that is being told anew', () => {
    const journal = new Journal()
    journal.failed(journal.begin('key', ['a']))
    const again = journal.begin('key', ['a'])
    expect(told(journal)).toEqual([])
    journal.failed(again)
    expect(told(journal)).toEqual([['key', 'a']])
  })

  it('does not count what is under way towards its bound', () => {
    const journal = new Journal()
    const intents = Array.from({ length: 20_000 }, (_, at) => journal.begin('key', [`k${at}`]))
    for (const intent of intents) journal.acknowledged(intent)
    expect(journal.isEmpty).toBe(true)
  })

  it('declares everything invalid when too much has failed, until that is told', () => {
    const journal = new Journal()
    for (let at = 0; at <= 10_000; at++) journal.failed(journal.begin('key', [`k${at}`]))
    expect(journal.doubts(['never touched'], [])).toBe('hard')
    expect(told(journal)).toEqual([['all']])
    expect(journal.isEmpty).toBe(true)
  })

  it('goes on doubting what failed while everything was being declared invalid', () => {
    const journal = new Journal()
    for (let at = 0; at <= 10_000; at++) journal.failed(journal.begin('key', [`k${at}`]))
    const replay = journal.next(journal.last)
    journal.failed(journal.begin('hard', ['t']))
    if (replay) journal.acknowledged(replay)
    expect(journal.doubts(['k1'], [])).toBeUndefined()
    expect(told(journal)).toEqual([['hard', 't']])
  })

  it('declares everything invalid anew when too much fails meanwhile', () => {
    const journal = new Journal()
    const failMany = () => {
      for (let at = 0; at <= 10_000; at++) journal.failed(journal.begin('key', [`k${at}`]))
    }
    failMany()
    const replay = journal.next(journal.last)
    failMany()
    if (replay) journal.acknowledged(replay)
    expect(journal.doubts(['never touched'], [])).toBe('hard')
    expect(told(journal)).toEqual([['all']])
  })

  it('tells many again in parts, each settled by itself', () => {
    const journal = new Journal()
    journal.failed(
      journal.begin(
        'key',
        Array.from({ length: 2500 }, (_, at) => `k${at}`),
      ),
    )
    expect(told(journal).map(([, ...names]) => names.length)).toEqual([1000, 1000, 500])
  })

  it('knows what was begun next for a key', () => {
    const journal = new Journal()
    const first = journal.begin('key', ['a', 'a'])
    expect(first.successor).toBeUndefined()
    const second = journal.begin('key', ['b', 'a'])
    journal.begin('key', ['a'])
    expect(first.successor).toBe(second)
  })
})

describe('what L2 has acknowledged', () => {
  it('is told again after a recall, and doubted until then', () => {
    const journal = new Journal()
    journal.told('key', ['a', 'b'], 0)
    journal.told('soft', ['t'], 10)
    journal.told('hard', ['u'], 20)
    expect(journal.isEmpty).toBe(true)
    journal.recall(1000)
    expect(journal.doubts(['b'], [])).toBe('hard')
    expect(journal.doubts([], ['t'])).toBe('soft')
    expect(told(journal)).toEqual([
      ['key', 'a', 'b'],
      ['hard', 'u'],
      ['soft', 't'],
    ])
    expect(journal.isEmpty).toBe(true)
  })

  it('is kept for 30 s from when it was last told', () => {
    const journal = new Journal()
    journal.told('key', ['a', 'b'], 0)
    journal.told('key', ['a'], 1)
    journal.recall(30_000)
    expect(told(journal)).toEqual([['key', 'a']])
  })

  it('is recalled once', () => {
    const journal = new Journal()
    journal.told('key', ['a'], 0)
    journal.recall(1)
    told(journal)
    journal.recall(2)
    expect(journal.isEmpty).toBe(true)
  })

  it('is told again even if it is under way anew, which may go to the server of before', () => {
    const journal = new Journal()
    journal.told('key', ['a'], 0)
    const intent = journal.begin('key', ['a'])
    journal.recall(1)
    expect(told(journal)).toEqual([])
    expect(intent.successor).toBeUndefined()
    journal.acknowledged(intent)
    expect(journal.doubts(['a'], [])).toBe('hard')
    expect(told(journal)).toEqual([['key', 'a']])
  })

  it('is bounded: beyond that a recall declares everything invalid, for 30 s', () => {
    const names = Array.from({ length: 10_001 }, (_, at) => `k${at}`)
    const journal = new Journal()
    journal.told('key', names, 0)
    journal.recall(29_999)
    expect(journal.doubts(['never touched'], [])).toBe('hard')
    expect(told(journal)).toEqual([['all']])
    expect(journal.isEmpty).toBe(true)
    journal.told('key', names, 30_000)
    journal.recall(60_000)
    expect(journal.isEmpty).toBe(true)
  })

  it('includes that everything was declared invalid', () => {
    const journal = new Journal()
    journal.told('all', [], 0)
    journal.recall(29_999)
    expect(told(journal)).toEqual([['all']])
  })
})
