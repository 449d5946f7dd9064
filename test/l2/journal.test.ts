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
