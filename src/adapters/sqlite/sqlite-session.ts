import type {
  LoadEnd,
  ReadReply,
  ReadRequest,
  StampMode,
  StoreContext,
  StoreSession,
  WriteReply,
  WriteRequest,
} from '../../contracts/store.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import type { Operation } from './protocol.ts'
import { type FileOptions, type Member, SharedFile } from './shared-file.ts'

export interface SqliteCounters {
  /** Entries deleted to keep the file within `maxBytes`. */
  readonly evicted: number
  /** Corrupt files that were moved aside. */
  readonly movedAside: number
  /** Worker threads started in place of one that died. */
  readonly restarts: number
}

/** An entry may take this share of the file: a larger one would push out most of the others. */
const LARGEST_SHARE = 0.25

export class SqliteSession implements StoreSession {
  readonly #member: Member
  readonly #file: SharedFile
  readonly #waiting = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(context: StoreContext, options: FileOptions) {
    this.#member = { context, options }
    this.#file = SharedFile.join(this.#member)
  }

  read(request: ReadRequest): Promise<ReadReply> {
    return this.#ask({ name: 'read', request })
  }

  write(request: WriteRequest): Promise<WriteReply> {
    const { bytes } = request
    if (bytes.byteLength > this.#member.options.maxBytes * LARGEST_SHARE) {
      return this.#unlessClosed(async () => ({ stored: false, reason: 'too-large' }))
    }
    return this.#ask({ name: 'write', request: { ...request, bytes: ownBytes(bytes) } })
  }

  delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    return this.#ask({ name: 'delete', keys })
  }

  stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    return this.#ask({ name: 'stamp', tags, mode })
  }

  renew(key: string, token: string, ms: number): Promise<boolean> {
    return this.#ask({ name: 'renew', key, token, ms })
  }

  release(key: string, token: string, end: LoadEnd = { kind: 'unused' }): Promise<void> {
    return this.#ask({ name: 'release', key, token, end })
  }

  probe(): Promise<void> {
    return this.#ask({ name: 'probe' })
  }

  close(): Promise<void> {
    this.#closed ??= this.#drain()
    return this.#closed
  }

  /** What happened to the file since this process opened it. */
  counters(): SqliteCounters {
    return { ...this.#file.counters, restarts: this.#file.restarts }
  }

  async #drain(): Promise<void> {
    // The last session waits for its answers by closing the line behind them.
    await this.#file.leave(this.#member)
    await Promise.allSettled(this.#waiting)
  }

  #ask<T>(operation: Operation): Promise<T> {
    return this.#unlessClosed(() => {
      const answer = this.#file.request(this.#member.context, operation) as Promise<T>
      this.#waiting.add(answer)
      const done = (): void => {
        this.#waiting.delete(answer)
      }
      answer.then(done, done)
      return answer
    })
  }

  #unlessClosed<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#closed === undefined) return ask()
    return Promise.reject(
      new ResilienceError('ERR_CLOSED', 'the cache is closed: create another one to go on'),
    )
  }
}

/** A message carries the whole memory behind a view: for a small Buffer that is Node's shared pool. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  const whole = bytes.byteLength === bytes.buffer.byteLength
  return whole && !Buffer.isBuffer(bytes) ? bytes : new Uint8Array(bytes)
}
