import type { Fence, LoadEnd, StampMode, WriteReply, WriteRequest } from '../../contracts/store.ts'
import type { Announcer } from './announcer.ts'
import { stampText } from './message.ts'
import type { Parts } from './parts.ts'
import { numberOf, textOf } from './replies.ts'
import { DELETE, RELEASE, RENEW, STAMP_TAGS, TOUCH, WRITE } from './scripts.ts'
import { unavailable } from './session-errors.ts'
import type { Argument, Reply } from './transport.ts'
import type { Writer } from './writer.ts'

/** Instants beyond are for ever: Redis takes no longer lives. */
const LAST_INSTANT = 9e15

const REASONS = ['lease-lost', 'tag-changed', 'epoch-changed', 'late'] as const

/** Each change is one atomic step, told to the others by the same script. */
export class ScriptWriter implements Writer {
  readonly #parts: Parts
  readonly #announcer: Announcer

  constructor(parts: Parts, announcer: Announcer) {
    this.#parts = parts
    this.#announcer = announcer
  }

  /**
   * In Cluster the stamps lie elsewhere: a commit is not checked against them, because every read
   * is; they are only made to last as long as the entry. If that fails they are missed and made
   * anew, which makes the entry stale.
   */
  async write(request: WriteRequest, latest: number): Promise<WriteReply> {
    const { key, fence } = request
    // Without a token it cannot be the holder's, and to the script it would be a set.
    if (fence && !fence.token) return { stored: false, reason: 'lease-lost' }
    const { space } = this.#parts
    const partition = space.partitionOf(key)
    const tags = fence?.tags ?? request.tags ?? []
    const here = space.isPartitioned ? [] : tags
    if (space.isPartitioned && tags.length > 0) this.#touch(tags, request.keepUntil)
    const reply = await this.#parts.script(
      partition,
      WRITE,
      [
        space.sequence(partition),
        space.entry(partition, key),
        space.lease(partition, key),
        ...here.map((tag) => space.stamp(tag)),
      ],
      [
        this.#parts.newEpoch(),
        fence?.token ?? '',
        ...this.#bounds(fence, latest),
        instant(request.freshUntil),
        instant(request.keepUntil),
        request.bytes,
        ...this.#announcer.say('w', partition, key),
        ...here.map((tag) => space.bucketOf(tag)),
      ],
      // A set that was sent anew would come after what was done meanwhile, and has no lease to show.
      fence ? 'digest' : 'source',
    )
    return writeReply(reply)
  }

  #bounds(fence: Fence | undefined, latest: number): readonly [Argument, Argument] {
    if (!fence) return ['', Math.round(latest)]
    return this.#parts.space.isPartitioned ? ['', ''] : [fence.epoch, fence.sequence]
  }

  async delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    const { space } = this.#parts
    const numbers = await Promise.all(
      this.#parts.group(keys).map(async ({ partition, keys }) => {
        const names = [space.sequence(partition)]
        for (const key of keys) names.push(space.entry(partition, key), space.lease(partition, key))
        const told = this.#announcer.say('d', partition, JSON.stringify(keys))
        const args = [this.#parts.newEpoch(), ...told]
        return numberOf(await this.#parts.script(partition, DELETE, names, args))
      }),
    )
    return { sequence: Math.max(...numbers) }
  }

  async stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    const { space, stamps } = this.#parts
    const reply = await this.#parts.script(
      stamps,
      STAMP_TAGS,
      [space.sequence(stamps), ...tags.map((tag) => space.stamp(tag))],
      [
        this.#parts.newEpoch(),
        mode,
        ...this.#announcer.say('s', stamps, stampText(tags, mode)),
        ...tags.map((tag) => space.bucketOf(tag)),
      ],
    )
    return { sequence: numberOf(reply) }
  }

  async renew(key: string, token: string, ms: number): Promise<boolean> {
    const { space } = this.#parts
    const partition = space.partitionOf(key)
    return (
      (await this.#parts.script(partition, RENEW, [space.lease(partition, key)], [token, ms])) === 1
    )
  }

  async release(key: string, token: string, end: LoadEnd): Promise<void> {
    const { space } = this.#parts
    const partition = space.partitionOf(key)
    await this.#parts.script(
      partition,
      RELEASE,
      [space.sequence(partition), space.lease(partition, key)],
      [
        this.#parts.newEpoch(),
        token,
        end.kind,
        end.kind === 'failed' ? JSON.stringify(end.failure) : '',
        ...this.#announcer.say('r', partition, key),
      ],
    )
  }

  #touch(tags: readonly string[], keepUntil: number): void {
    const { space, stamps } = this.#parts
    this.#parts
      .script(
        stamps,
        TOUCH,
        [space.sequence(stamps), ...tags.map((tag) => space.stamp(tag))],
        [this.#parts.newEpoch(), instant(keepUntil), ...tags.map((tag) => space.bucketOf(tag))],
      )
      .catch(() => {})
  }
}

function writeReply(reply: Reply): WriteReply {
  if (Array.isArray(reply)) return { stored: true, version: numberOf(reply[0]) }
  const text = textOf(reply)
  const reason = REASONS.find((one) => one === text)
  if (reason) return { stored: false, reason }
  throw unavailable('Redis gave an answer to a write that is none: is another program in between?')
}

function instant(ms: number): string {
  return ms > LAST_INSTANT ? 'inf' : String(Math.max(0, ms))
}
