import type { StoreContext, StoreState } from '../../contracts/store.ts'
import type { ResilienceError } from '../../kernel/errors.ts'
import type { FileCounters, Operation, WorkerMessage } from './protocol.ts'
import { unavailable, WorkerLink } from './worker-link.ts'

export interface FileOptions {
  readonly path: string
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** One member per session: who is told of the state of the file. */
export interface Member {
  readonly context: StoreContext
  readonly options: FileOptions
}

const files = new Map<string, SharedFile>()

/** One worker thread per path in this process; the last session that leaves ends it. */
export class SharedFile {
  counters: FileCounters = { evicted: 0, movedAside: 0 }
  readonly #path: string
  readonly #members = new Set<Member>()
  readonly #link: WorkerLink
  #state: StoreState = { state: 'connecting', source: 'file' }

  static join(member: Member): SharedFile {
    const { path } = member.options
    let file = files.get(path)
    if (!file) {
      file = new SharedFile(member)
      files.set(path, file)
    }
    file.#add(member)
    return file
  }

  private constructor({ context, options }: Member) {
    this.#path = options.path
    // SQLite waits no longer than the caller does: what stands behind a locked write is late as well.
    const setup = { path: options.path, busyMs: Math.ceil(Math.min(options.timeoutMs, 60_000)) }
    this.#link = new WorkerLink(setup, context.clock, options.timeoutMs, {
      onStart: () => this.#introduce(),
      onMessage: (message) => this.#hear(message),
      onCrash: (error) => this.#tell({ state: 'down', source: 'file', error }),
    })
  }

  /** Threads that were started in place of one that died. */
  get restarts(): number {
    return this.#link.restarts
  }

  request(context: StoreContext, operation: Operation): Promise<unknown> {
    return this.#link.request(context.space, context.clock.wall(), operation)
  }

  async leave(member: Member): Promise<void> {
    this.#members.delete(member)
    if (this.#members.size > 0) return
    files.delete(this.#path)
    await this.#link.close(member.context.clock.wall())
  }

  #add(member: Member): void {
    const running = this.#members.size > 0
    this.#members.add(member)
    if (!running) {
      this.#link.start()
      return
    }
    this.#open(member)
    if (this.#state.state !== 'connecting') member.context.onState(this.#state)
  }

  #introduce(): void {
    for (const member of this.#members) this.#open(member)
  }

  #open({ context, options }: Member): void {
    // What is wrong comes back as the state.
    this.request(context, { name: 'open', maxBytes: options.maxBytes }).catch(() => {})
  }

  #hear(message: WorkerMessage): void {
    this.counters = message.counters
    if (!message.state) return
    const { usable, message: text } = message.state
    const error = text === undefined ? {} : { error: unavailable(text) as ResilienceError }
    this.#tell({ state: usable ? 'ready' : 'down', source: 'file', ...error })
  }

  #tell(state: StoreState): void {
    this.#state = state
    for (const { context } of this.#members) context.onState(state)
  }
}
