import type {
  BusMessage,
  LoadEnd,
  ReadReply,
  ReadRequest,
  StampMode,
  StoreContext,
  StoreSession,
  WriteReply,
  WriteRequest,
} from '../contracts/store.ts'
import { ResilienceError } from '../kernel/errors.ts'
import type { MemoryChannel } from './memory-channel.ts'
import type { MemorySpace } from './memory-space.ts'

/** One process's view of a space: the rules are the space's, here they meet the clock and the bus. */
export class MemorySession implements StoreSession {
  readonly #channel: MemoryChannel
  readonly #context: StoreContext
  readonly #listener = (message: BusMessage): void => this.#context.onMessage?.(message)
  #closed = false

  constructor(channel: MemoryChannel, context: StoreContext) {
    this.#channel = channel
    this.#context = context
    channel.join(this.#listener)
  }

  async read(request: ReadRequest): Promise<ReadReply> {
    return this.#space().read(request, this.#now())
  }

  async write(request: WriteRequest): Promise<WriteReply> {
    const space = this.#space()
    const reply = space.write(request, this.#now())
    if (reply.stored) this.#publish(space, { kind: 'write', key: request.key })
    return reply
  }

  async delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    const space = this.#space()
    if (keys.length > 0) {
      space.delete(keys)
      this.#publish(space, { kind: 'delete', keys: [...keys] })
    }
    return { sequence: space.sequence }
  }

  async stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    const space = this.#space()
    if (tags.length > 0) {
      space.stamp(tags, mode)
      this.#publish(space, { kind: 'stamp', tags: [...tags], mode })
    }
    return { sequence: space.sequence }
  }

  async renew(key: string, token: string, ms: number): Promise<boolean> {
    return this.#space().renew(key, token, ms, this.#now())
  }

  async release(key: string, token: string, end: LoadEnd = { kind: 'unused' }): Promise<void> {
    const space = this.#space()
    if (space.release(key, token, end, this.#now())) this.#publish(space, { kind: 'released', key })
  }

  async probe(): Promise<void> {
    this.#space()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#channel.leave(this.#listener)
  }

  #now(): number {
    return this.#context.clock.wall()
  }

  #space(): MemorySpace {
    if (this.#closed) {
      throw new ResilienceError(
        'ERR_CLOSED',
        'This session of the memory store is closed. Open the store again, or close the cache later.',
      )
    }
    return this.#channel.space(this.#context.random)
  }

  #publish(space: MemorySpace, event: Event): void {
    const { sequence, epoch } = space
    this.#channel.publish(this.#listener, { ...event, sequence, epoch })
  }
}

type Numbered = Exclude<BusMessage, { kind: 'lost' }>
type WithoutNumber<M> = M extends unknown ? Omit<M, 'sequence' | 'epoch'> : never
type Event = WithoutNumber<Numbered>
