import { randomInt } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** The row of one space, as a transaction sees and changes it. */
export interface Space {
  readonly id: number
  readonly epoch: number
  sequence: number
  hardFloor: number
  softFloor: number
  stamps: number
  changed: boolean
}

/**
 * The spaces one transaction meets: each is read once, counted in memory and written back at its
 * end, so that a burst of writes costs one update of the sequence.
 */
export class Spaces {
  readonly #met = new Map<string, Space>()
  readonly #find: StatementSync
  readonly #make: StatementSync
  readonly #save: StatementSync

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT * FROM spaces WHERE name = ?')
    this.#make = db.prepare(
      'INSERT INTO spaces (name, epoch, sequence, hard_floor, soft_floor, stamps) VALUES (?, ?, 0, 0, 0, 0)',
    )
    this.#save = db.prepare(
      'UPDATE spaces SET sequence = ?, hard_floor = ?, soft_floor = ?, stamps = ? WHERE id = ?',
    )
  }

  /** `undefined` for a space that is not in the file yet. */
  find(name: string): Space | undefined {
    const met = this.#met.get(name)
    if (met) return met
    const row = this.#find.get(name)
    if (!row) return undefined
    const space: Space = {
      id: row.id as number,
      epoch: row.epoch as number,
      sequence: row.sequence as number,
      hardFloor: row.hard_floor as number,
      softFloor: row.soft_floor as number,
      stamps: row.stamps as number,
      changed: false,
    }
    this.#met.set(name, space)
    return space
  }

  /** Only inside a write transaction. */
  findOrMake(name: string): Space {
    const found = this.find(name)
    if (found) return found
    // Not the random of the cache: with a fixed seed a new file would get the epoch of the old one.
    this.#make.run(name, randomInt(1, 2 ** 32))
    return this.find(name) as Space
  }

  save(): void {
    for (const space of this.#met.values()) {
      if (!space.changed) continue
      this.#save.run(space.sequence, space.hardFloor, space.softFloor, space.stamps, space.id)
      space.changed = false
    }
  }

  /** Before each transaction: what others wrote in the meantime is not known. */
  forget(): void {
    this.#met.clear()
  }
}

/** The next number of the sequence. */
export function advance(space: Space): number {
  space.changed = true
  space.sequence += 1
  return space.sequence
}
