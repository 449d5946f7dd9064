import type {
  Fence,
  LoadEnd,
  Position,
  Stamp,
  StampMode,
  WriteReply,
  WriteRequest,
} from '../../contracts/store.ts'
import type { Parts } from './parts.ts'
import { countPlainly, positionPlainly, putStampPlainly } from './plain-sequence.ts'
import { packRecord } from './record.ts'
import { listOf, stampOf, timeOf } from './replies.ts'
import { STAMP_MS } from './scripts.ts'
import type { Argument } from './transport.ts'
import type { Writer } from './writer.ts'

/** Redis takes no longer lives. */
const LONGEST_MS = 9e15

/**
 * For servers that run no scripts: a check, then a write. What another session does in between is
 * seen by the readers, who compare every entry with the stamps of its tags.
 */
export class PlainWriter implements Writer {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async write(request: WriteRequest, latest: number): Promise<WriteReply> {
    // Kept now: the caller may use its buffer again while this asks the server.
    const bytes = new Uint8Array(request.bytes)
    const { key, fence, freshUntil, keepUntil } = request
    const { space, stamps } = this.#parts
    const partition = space.partitionOf(key)
    const tags = fence?.tags ?? request.tags ?? []
    const [now, here, there, known, lives] = await Promise.all([
      this.#parts.run(partition, ['TIME']).then(timeOf),
      positionPlainly(this.#parts, partition),
      partition === stamps ? undefined : positionPlainly(this.#parts, stamps),
      this.#stamps(tags),
      Promise.all(tags.map((tag) => this.#parts.run(stamps, ['PTTL', space.stamp(tag)]))),
    ])
    if (!fence && now > latest) return { stored: false, reason: 'late' }
    const base = there ?? here
    const found = known.map((reply) => stampOf(reply, base.epoch))
    const reason = fence && refusal(fence, base, found)
    if (reason) return { stored: false, reason }
    const version = await countPlainly(this.#parts, partition)
    const keepMs = keepUntil - now
    const { epoch } = here
    const value = packRecord({ version, freshUntil, epoch, bytes })
    // A stamp that is missing begins where the load did, else its own entry would be stale.
    const from = fence?.sequence ?? Math.min(base.sequence, version - 1)
    await Promise.all([
      this.#put(partition, space.entry(partition, key), value, keepMs),
      ...tags.map((tag, at) =>
        found[at]
          ? this.#prolong(space.stamp(tag), Number(lives[at]), keepMs)
          : putStampPlainly(this.#parts, tag, base.epoch, from, from, lifeOf(keepMs)),
      ),
    ])
    return { stored: true, version }
  }

  async delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    const { space } = this.#parts
    const numbers = await Promise.all(
      this.#parts.group(keys).map(async ({ partition, keys }) => {
        await positionPlainly(this.#parts, partition)
        const names = keys.map((key) => space.entry(partition, key))
        const [number] = await Promise.all([
          countPlainly(this.#parts, partition),
          this.#parts.run(partition, ['DEL', ...names]),
        ])
        return number
      }),
    )
    return { sequence: Math.max(...numbers) }
  }

  async stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    const { space, stamps } = this.#parts
    const [position, known] = await Promise.all([
      positionPlainly(this.#parts, stamps),
      this.#stamps(tags),
    ])
    // The number first: no reader may meet a stamp that is newer than the sequence.
    const sequence = await countPlainly(this.#parts, stamps)
    const never = { hard: position.sequence, soft: position.sequence }
    const buckets = new Set(tags.map((tag) => space.bucketOf(tag)))
    await Promise.all([
      ...tags.map((tag, at) => {
        const present = stampOf(known[at], position.epoch)
        const stamp = { ...(present ?? never), [mode]: sequence }
        const life = present ? ['KEEPTTL'] : undefined
        return putStampPlainly(this.#parts, tag, position.epoch, stamp.hard, stamp.soft, life)
      }),
      // For the day that scripts are allowed again.
      this.#parts.run(stamps, [
        'HSET',
        space.sequence(stamps),
        ...[...buckets].flatMap((bucket): Argument[] => [`b${bucket}`, sequence]),
      ]),
    ])
    return { sequence }
  }

  async renew(_key: string, _token: string, _ms: number): Promise<boolean> {
    return false
  }

  async release(_key: string, _token: string, _end: LoadEnd): Promise<void> {}

  async #stamps(tags: readonly string[]) {
    if (tags.length === 0) return []
    const names = tags.map((tag) => this.#parts.space.stamp(tag))
    return listOf(await this.#parts.run(this.#parts.stamps, ['MGET', ...names]))
  }

  /** A stamp outlives the entries that have its tag: without it they would be taken for stale. */
  async #prolong(name: string, left: number, keepMs: number): Promise<void> {
    if (left < 0 || left >= keepMs) return
    const { stamps } = this.#parts
    if (keepMs > LONGEST_MS) await this.#parts.run(stamps, ['PERSIST', name])
    else await this.#parts.run(stamps, ['PEXPIRE', name, Math.ceil(keepMs)])
  }

  async #put(partition: number, name: string, value: Buffer, keepMs: number): Promise<void> {
    if (keepMs <= 0) await this.#parts.run(partition, ['DEL', name])
    else if (keepMs > LONGEST_MS) await this.#parts.run(partition, ['SET', name, value])
    else {
      await this.#parts.run(partition, ['SET', name, value, 'PX', Math.max(1, Math.ceil(keepMs))])
    }
  }
}

function lifeOf(keepMs: number): readonly Argument[] {
  return keepMs > LONGEST_MS ? [] : ['PX', Math.max(STAMP_MS, Math.ceil(keepMs))]
}

function refusal(
  { epoch, sequence, tags }: Fence,
  base: Position,
  found: readonly (Stamp | undefined)[],
): 'epoch-changed' | 'tag-changed' | undefined {
  if (epoch !== base.epoch) return 'epoch-changed'
  const changed = tags.some((_, at) => {
    const stamp = found[at]
    return stamp !== undefined && Math.max(stamp.hard, stamp.soft) > sequence
  })
  return changed ? 'tag-changed' : undefined
}
