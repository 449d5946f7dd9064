import { AsyncLocalStorage } from 'node:async_hooks'
import type { KeyvLike } from './keyv-backend.ts'

interface Watched {
  error?: unknown
}

/** One for all sessions: whichever listener hears an error, it belongs to the operation that runs. */
const running = new AsyncLocalStorage<Watched>()

/**
 * Turns the `error` events of a Keyv into rejections of the operations they belong to.
 *
 * A Keyv that somebody listens to answers a failed `get` as if there were nothing, and one that nobody
 * listens to may end the process when its connection drops. So there is a listener while a session is
 * open, and it tells by the async context whose operation failed.
 */
export class ErrorWatch {
  readonly #backend: KeyvLike
  readonly #onStray: (error: unknown) => void
  readonly #listener = (error: unknown): void => {
    const watched = running.getStore()
    if (watched) watched.error ??= error ?? new Error('an error without a cause')
    else this.#onStray(error)
  }

  /** `onStray` is told of errors that no operation caused, such as a lost connection. */
  constructor(backend: KeyvLike, onStray: (error: unknown) => void) {
    this.#backend = backend
    this.#onStray = onStray
    backend.on?.('error', this.#listener)
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    const watched: Watched = {}
    const result = await running.run(watched, operation)
    if ('error' in watched) throw watched.error
    return result
  }

  stop(): void {
    this.#backend.off?.('error', this.#listener)
  }
}
