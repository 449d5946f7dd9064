import type { LeaseRequest, ReadRequest } from '../contracts/store.ts'

/** Beyond so many keys the oldest are left to run out. */
const MOST_KEYS = 2048
/** A server that was stopped for longer than this is taken for gone, with all it has not read yet. */
const KEPT_MS = 30_000
/** A server that goes on again may read what was sent before later than what is sent now. */
const AGAIN_MS = 1000
/** So many are given back at a time: who reads meanwhile must not wait for all of them. */
const BATCH = 64

interface UnansweredOptions {
  readonly now: () => number
  /** Runs it after a while; what it returns ends that. */
  readonly later: (task: () => void, ms: number) => () => void
  /** Settles when the store has heard of it, or will not. */
  readonly release: (key: string, token: string) => Promise<unknown>
}

interface Unanswered {
  readonly keys: readonly string[]
  readonly token: string
  readonly until: number
}

/**
 * Reads that asked for leases and were not answered. The store may carry them out all the same, when
 * their connection is long gone: each lease is then one that nobody knows of, and others wait until
 * it runs out. They are given back as soon as the store is there again.
 */
export class UnansweredLeases {
  readonly #options: UnansweredOptions
  /** The oldest first. */
  readonly #reads = new Map<ReadRequest, Unanswered>()
  #keys = 0
  #stopWaiting: (() => void) | undefined
  #stopped = false

  constructor(options: UnansweredOptions) {
    this.#options = options
  }

  note(request: ReadRequest, { token }: LeaseRequest): void {
    const { keys } = request
    if (this.#stopped || keys.length === 0) return
    const now = this.#options.now()
    this.#reads.set(request, { keys, token, until: now + KEPT_MS })
    this.#keys += keys.length
    for (const [oldest, { until }] of this.#reads) {
      if (until > now && this.#keys <= MOST_KEYS) return
      this.answered(oldest)
    }
  }

  /** The reply has come after all, and tells which leases there are. */
  answered(request: ReadRequest): void {
    const read = this.#reads.get(request)
    if (!read) return
    this.#reads.delete(request)
    this.#keys -= read.keys.length
  }

  /** The store is there again: now, and once more when it has caught up. */
  giveBack(): void {
    if (this.#reads.size === 0 || this.#stopped) return
    const { later } = this.#options
    const reads = [...this.#reads]
    void this.#release(reads)
    this.#stopWaiting?.()
    this.#stopWaiting = later(() => {
      this.#stopWaiting = undefined
      const left = reads.filter(([request]) => this.#reads.has(request))
      for (const [request] of left) this.answered(request)
      void this.#release(left)
    }, AGAIN_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#stopWaiting?.()
    this.#reads.clear()
  }

  async #release(reads: ReadonlyArray<readonly [ReadRequest, Unanswered]>): Promise<void> {
    const { now, release } = this.#options
    const isCurrent = ([, { until }]: readonly [ReadRequest, Unanswered]): boolean => now() < until
    const leases = reads
      .filter(isCurrent)
      .flatMap(([, { keys, token }]) => keys.map((key) => ({ key, token })))
    for (let at = 0; at < leases.length && !this.#stopped; at += BATCH) {
      const some = leases.slice(at, at + BATCH)
      await Promise.allSettled(some.map(({ key, token }) => release(key, token)))
    }
  }
}
