import type { BusMessage, Position } from '../../contracts/store.ts'
import { busMessageOf, type Published, parsePublished } from './message.ts'

/** How far the messages of one part were followed. */
interface Track {
  readonly epoch: number
  last: number
}

/** Messages that came before it was known where the part stood. */
interface Early {
  readonly epoch: number
  readonly first: number
  last: number
  complete: boolean
}

export interface BusListener {
  deliver(message: BusMessage): void
  /** Something was missed, whatever it was. */
  lost(): void
}

/**
 * Follows the numbers of all messages, of the own ones too, so that one that is missing is missed:
 * by the next one, or by what the server says of itself. Whatever cannot be explained is `lost`.
 */
export class BusWatch {
  /** Payloads that were none: another program uses the channel, or a newer version of this one. */
  malformed = 0
  readonly #sender: string
  readonly #partitions: ReadonlySet<number>
  readonly #listener: BusListener
  readonly #tracks = new Map<number, Track>()
  readonly #early = new Map<number, Early>()

  constructor(sender: string, partitions: readonly number[], listener: BusListener) {
    this.#sender = sender
    this.#partitions = new Set(partitions)
    this.#listener = listener
  }

  receive(payload: Buffer): void {
    const published = parsePublished(payload)
    const message = published && this.#meaningOf(published)
    if (!published || message === 'none') {
      this.malformed++
      return
    }
    if (message && published.sender !== this.#sender) this.#listener.deliver(message)
    if (!this.#follow(published)) this.#listener.lost()
  }

  /** What was followed so far says nothing any more. */
  forget(): void {
    this.#tracks.clear()
    this.#early.clear()
  }

  /** Where a part stands from now on, unless that is known; what it was before is of no concern. */
  begin(partition: number, position: Position): void {
    if (this.#tracks.has(partition)) return
    const early = this.#early.get(partition)
    this.#early.delete(partition)
    const track = { epoch: position.epoch, last: position.sequence }
    this.#tracks.set(partition, track)
    if (early?.epoch !== position.epoch || early.last <= position.sequence) return
    track.last = early.last
    if (!early.complete || early.first > position.sequence + 1) this.#listener.lost()
  }

  /** A reply came from this part: messages may still be on their way, but not those of an epoch. */
  seen(partition: number, position: Position): void {
    const track = this.#tracks.get(partition)
    if (!track || track.epoch === position.epoch) return
    this.#restart(partition, position)
    this.#listener.lost()
  }

  /** Whether the server is ahead of what came; another epoch, or one not followed, is lost at once. */
  isBehind(partition: number, position: Position | undefined): boolean {
    const track = this.#tracks.get(partition)
    if (!position) {
      // Gone: whoever needs it next makes another one.
      if (this.#tracks.delete(partition)) this.#listener.lost()
      return false
    }
    if (track?.epoch === position.epoch) return track.last < position.sequence
    this.#restart(partition, position)
    this.#listener.lost()
    return false
  }

  /** Messages had their time to come. Whether they have not, in which case they count as missed. */
  giveUp(partition: number, position: Position): boolean {
    const track = this.#tracks.get(partition)
    if (track?.epoch !== position.epoch || track.last >= position.sequence) return false
    track.last = position.sequence
    return true
  }

  #meaningOf(published: Published): BusMessage | undefined | 'none' {
    if (!this.#partitions.has(published.partition)) return 'none'
    if (!Number.isSafeInteger(published.number) || published.epoch >= 2 ** 32) return 'none'
    try {
      return busMessageOf(published)
    } catch {
      return 'none'
    }
  }

  /** Whether nothing is missing before it. */
  #follow({ partition, epoch, number }: Published): boolean {
    const track = this.#tracks.get(partition)
    if (!track) {
      this.#remember(partition, epoch, number)
      return true
    }
    if (track.epoch !== epoch) {
      this.#restart(partition, { epoch, sequence: number })
      return false
    }
    const isNext = number <= track.last + 1
    track.last = Math.max(track.last, number)
    return isNext
  }

  #remember(partition: number, epoch: number, number: number): void {
    const early = this.#early.get(partition)
    if (early?.epoch !== epoch) {
      this.#early.set(partition, { epoch, first: number, last: number, complete: true })
      return
    }
    if (number > early.last + 1) early.complete = false
    early.last = Math.max(early.last, number)
  }

  #restart(partition: number, { epoch, sequence }: Position): void {
    this.#early.delete(partition)
    this.#tracks.set(partition, { epoch, last: sequence })
  }
}
