import type { KeySpace } from './key-space.ts'
import { type MessageKind, messageHead, messageTail } from './message.ts'
import type { BusKind } from './transport.ts'

/** What a script is given to tell the others: command, channel, head and tail. */
export type Announcement = readonly [string, string, string, string]

const SILENCE: Announcement = ['', '', '', '']

/** How the scripts tell the other sessions of what they did. */
export class Announcer {
  /** Absent: nobody is told. */
  bus: BusKind | undefined
  readonly sender: string
  readonly #space: KeySpace

  constructor(space: KeySpace, sender: string) {
    this.#space = space
    this.sender = sender
  }

  say(kind: MessageKind, partition: number, text: string): Announcement {
    if (this.bus === undefined) return SILENCE
    const isSharded = this.bus === 'sharded'
    return [
      isSharded ? 'SPUBLISH' : 'PUBLISH',
      this.#space.channel(partition, isSharded),
      messageHead(kind, partition),
      messageTail(this.sender, text),
    ]
  }

  /** All channels on which something may be said. */
  channels(bus: BusKind): readonly string[] {
    const isSharded = bus === 'sharded'
    const { partitions } = this.#space
    return [...new Set(partitions.map((partition) => this.#space.channel(partition, isSharded)))]
  }
}
