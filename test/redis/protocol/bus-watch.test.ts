import { describe, expect, it } from 'vitest'
import { BusWatch } from '../../../src/adapters/redis/bus-watch.ts'
import type { BusMessage } from '../../../src/contracts/store.ts'

const PART = 3
const EPOCH = 9

function make(): {
  watch: BusWatch
  told: BusMessage[]
  say: (
    number: number,
    kind?: string,
    text?: string,
    rest?: { epoch?: number; by?: string },
  ) => void
} {
  const told: BusMessage[] = []
  const watch = new BusWatch('me', [PART, 4], {
    deliver: (message) => void told.push(message),
    lost: () => void told.push({ kind: 'lost' }),
  })
  return {
    watch,
    told,
    say: (number, kind = 'w', text = 'k', { epoch = EPOCH, by = 'other' } = {}) =>
      watch.receive(Buffer.from(`${kind} ${PART} ${epoch} ${number} ${by}\n${text}`)),
  }
}

const begun = (sequence = 10): ReturnType<typeof make> => {
  const made = make()
  made.watch.begin(PART, { epoch: EPOCH, sequence })
  return made
}
const kinds = (told: readonly BusMessage[]): string[] => told.map(({ kind }) => kind)

describe('the watch of the bus', () => {
  it('delivers each kind of message with its number and epoch', () => {
    const { told, say } = begun()
    say(11, 'w', 'a\nb é')
    say(12, 'd', '["a","b"]')
    say(13, 's', '{"mode":"soft","tags":["t"]}')
    say(14, 'r', 'k')
    const at = (sequence: number) => ({ sequence, epoch: EPOCH })
    expect(told).toEqual([
      { kind: 'write', key: 'a\nb é', ...at(11) },
      { kind: 'delete', keys: ['a', 'b'], ...at(12) },
      { kind: 'stamp', tags: ['t'], mode: 'soft', ...at(13) },
      { kind: 'released', key: 'k', ...at(14) },
    ])
  })

  it('counts its own messages without delivering them', () => {
    const { told, say } = begun()
    say(11, 'w', 'k', { by: 'me' })
    say(12)
    expect(kinds(told)).toEqual(['write'])
  })

  it('delivers what comes after a gap, and says once that something is lost', () => {
    const { told, say } = begun()
    say(13)
    say(14)
    expect(kinds(told)).toEqual(['write', 'lost', 'write'])
  })

  it('finds a gap before an own message too', () => {
    const { told, say } = begun()
    say(12, 'w', 'k', { by: 'me' })
    expect(kinds(told)).toEqual(['lost'])
  })

  it('delivers what it has counted already: twice does no harm, never may', () => {
    const { told, say } = begun()
    say(10)
    say(3)
    say(11)
    expect(kinds(told)).toEqual(['write', 'write', 'write'])
  })

  it('takes another epoch for a loss and follows it from there', () => {
    const { told, say } = begun()
    say(1, 'w', 'k', { epoch: 5 })
    say(2, 'w', 'k', { epoch: 5 })
    expect(kinds(told)).toEqual(['write', 'lost', 'write'])
  })

  it('takes a reset for a loss, once, and delivers nothing of it', () => {
    const { told, say, watch } = begun()
    say(0, 'x', '', { epoch: 5 })
    watch.seen(PART, { epoch: 5, sequence: 0 })
    say(1, 'w', 'k', { epoch: 5 })
    expect(kinds(told)).toEqual(['lost', 'write'])
  })

  it('takes another epoch in any reply for a loss, once', () => {
    const { told, watch } = begun()
    watch.seen(PART, { epoch: EPOCH, sequence: 99 })
    expect(told).toEqual([])
    watch.seen(PART, { epoch: 5, sequence: 2 })
    watch.seen(PART, { epoch: 5, sequence: 2 })
    expect(kinds(told)).toEqual(['lost'])
  })

  it('delivers messages that come before it is known where the part stands, and counts them', () => {
    const { told, watch, say } = make()
    say(11)
    say(12)
    watch.begin(PART, { epoch: EPOCH, sequence: 10 })
    say(13)
    expect(kinds(told)).toEqual(['write', 'write', 'write'])
  })

  it('finds a gap among those early messages, or between them and where the part stood', () => {
    const inside = make()
    inside.say(11)
    inside.say(13)
    inside.watch.begin(PART, { epoch: EPOCH, sequence: 10 })
    expect(kinds(inside.told)).toEqual(['write', 'write', 'lost'])
    const before = make()
    before.say(12)
    before.watch.begin(PART, { epoch: EPOCH, sequence: 10 })
    expect(kinds(before.told)).toEqual(['write', 'lost'])
  })

  it('is not troubled by early messages that the part had counted', () => {
    const { told, watch, say } = make()
    say(4)
    say(9)
    watch.begin(PART, { epoch: EPOCH, sequence: 10 })
    expect(kinds(told)).toEqual(['write', 'write'])
  })

  it('follows each part by itself', () => {
    const { told, watch } = begun()
    watch.begin(4, { epoch: 8, sequence: 100 })
    watch.receive(Buffer.from('w 4 8 101 other\nk'))
    watch.receive(Buffer.from(`w ${PART} ${EPOCH} 11 other\nk`))
    expect(kinds(told)).toEqual(['write', 'write'])
  })

  it('ignores and counts what is none of its messages', () => {
    const { told, watch } = begun()
    const strange = [
      '',
      'hello',
      'w 3 9 11 other',
      'w 3 9 eleven other\nk',
      'z 3 9 11 other\nk',
      'w 63 9 11 other\nk',
      'w 3 99999999999 11 other\nk',
      'd 3 9 11 other\nnot json',
      'd 3 9 11 other\n[1]',
      'd 3 9 11 other\n{}',
      's 3 9 11 other\nnull',
      's 3 9 11 other\n{"mode":"other","tags":[]}',
      's 3 9 11 other\n{"mode":"hard"}',
      '\u0000\u00ff\n',
    ]
    for (const text of strange) watch.receive(Buffer.from(text))
    watch.receive(Buffer.from([0xff, 0x0a, 0xff]))
    expect(watch.malformed).toBe(strange.length + 1)
    expect(told).toEqual([])
  })
})
