import assert from 'node:assert/strict'
import type { BusMessage, Position, ReadReply } from '../contracts/store.ts'
import type { StoreUser } from './store-user.ts'

type Numbered = Exclude<BusMessage, { kind: 'lost' }>

/** What must be true of the numbers a store hands out, whatever else it does. */
export interface Numbering {
  /** Before anything is changed. */
  begin(reply: ReadReply): void
  read(names: readonly string[], reply: ReadReply): void
  /** Entries were written or deleted; `undefined`: the stamps were. */
  changed(names: readonly string[] | undefined, sequence: number): void
  /** A lease was given back: where its key stands now. */
  released(name: string, user: StoreUser): Promise<Position>
  /** What a session was told, against what the others did. */
  told(actual: readonly BusMessage[], expected: readonly Numbered[]): void
  /** How many changes these messages are. */
  count(messages: readonly BusMessage[]): number
  readonly epoch: number
}

/** One sequence for all of a space. */
export class OneSequence implements Numbering {
  epoch = 0
  #present = 0
  /** With a bus a number that nobody is told is a gap; without one it is only a number. */
  readonly #isTold: boolean

  constructor(isTold: boolean) {
    this.#isTold = isTold
  }

  begin({ sequence, epoch }: ReadReply): void {
    this.#present = sequence
    this.epoch = epoch
  }

  read(names: readonly string[], { positions, sequence, epoch }: ReadReply): void {
    const position = { sequence: this.#present, epoch: this.epoch }
    const expected = { positions: names.map(() => position), ...position }
    assert.deepEqual({ positions, sequence, epoch }, expected)
  }

  changed(_names: readonly string[] | undefined, sequence: number): void {
    assert.ok(sequence > this.#present, `number ${sequence} comes after ${this.#present}`)
    if (this.#isTold) assert.equal(sequence, this.#present + 1, 'no number is left out')
    this.#present = sequence
  }

  async released(_name: string, user: StoreUser): Promise<Position> {
    // Whether a release takes a number of its own is left to the store.
    const { sequence } = await user.read([])
    const isNext = sequence === this.#present || sequence === this.#present + 1
    assert.ok(isNext, 'a release takes at most one number')
    this.#present = sequence
    return { sequence, epoch: this.epoch }
  }

  told(actual: readonly BusMessage[], expected: readonly Numbered[]): void {
    assert.deepEqual(actual, expected)
  }

  count(messages: readonly BusMessage[]): number {
    return messages.length
  }
}

/** A sequence for each part of the keys, and one for the stamps. Which keys share one is not known. */
export class PartSequences implements Numbering {
  epoch = 0
  #stamps = 0
  readonly #keys = new Map<string, Position>()

  begin({ sequence, epoch }: ReadReply): void {
    this.#stamps = sequence
    this.epoch = epoch
  }

  read(names: readonly string[], { positions, sequence, epoch }: ReadReply): void {
    assert.deepEqual({ sequence, epoch }, { sequence: this.#stamps, epoch: this.epoch })
    for (const [at, name] of names.entries()) this.#standsAt(name, positions[at])
  }

  changed(names: readonly string[] | undefined, sequence: number): void {
    if (names === undefined) {
      assert.equal(sequence, this.#stamps + 1, 'no number of the stamps is left out')
      this.#stamps = sequence
      return
    }
    // Of several keys the largest of the numbers is told, which need not be that of each.
    const [name] = names
    if (names.length > 1 || name === undefined) return
    const { epoch = 0, sequence: last = 0 } = this.#keys.get(name) ?? {}
    assert.ok(sequence > last, `number ${sequence} of the key comes after ${last}`)
    if (epoch !== 0) this.#keys.set(name, { epoch, sequence })
  }

  async released(name: string, user: StoreUser): Promise<Position> {
    const [position] = (await user.read([name])).positions
    this.#standsAt(name, position)
    return position as Position
  }

  told(actual: readonly BusMessage[], expected: readonly Numbered[]): void {
    assert.deepEqual(actual.flatMap(changesOf).sort(), expected.flatMap(changesOf).sort())
    const last = new Map<string, number>()
    for (const message of actual) {
      assert.ok(message.kind !== 'lost', 'nothing is lost')
      for (const key of keysOf(message)) {
        assert.ok(message.sequence > (last.get(key) ?? 0), 'the numbers of a key increase')
        last.set(key, message.sequence)
      }
    }
  }

  /** A delete is told part by part. */
  count(messages: readonly BusMessage[]): number {
    return messages.flatMap(changesOf).length
  }

  #standsAt(name: string, position: Position | undefined): void {
    assert.ok(position, 'there is a position for each key')
    const last = this.#keys.get(name)
    assert.equal(position.epoch, last?.epoch ?? position.epoch, 'the epoch of a key stays')
    assert.ok(position.sequence >= (last?.sequence ?? 0), 'a position never goes back')
    this.#keys.set(name, position)
  }
}

function keysOf(message: Numbered): readonly string[] {
  if (message.kind === 'delete') return message.keys
  return message.kind === 'stamp' ? [] : [message.key]
}

function changesOf(message: BusMessage): string[] {
  if (message.kind === 'lost') return ['lost']
  if (message.kind === 'stamp') return [`stamp ${message.mode} ${message.tags}`]
  return keysOf(message).map((key) => `${message.kind} ${key}`)
}
