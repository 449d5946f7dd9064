import { ResilienceError } from '../../kernel/errors.ts'

/** Behind a backend that hangs nobody waits any more; what it would keep alive is bounded. */
const WAITING_MAX = 1000

interface Queue {
  tail: Promise<unknown>
  waiting: number
}

/** Steps of one space one after another: as near to atomic as one process can get by itself. */
export class Queues {
  readonly #queues = new Map<string, Queue>()

  run<T>(space: string, step: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(space) ?? { tail: Promise.resolve(), waiting: 0 }
    if (queue.waiting >= WAITING_MAX) {
      return Promise.reject(
        new ResilienceError(
          'ERR_L2_UNAVAILABLE',
          `more than ${WAITING_MAX} writes wait for the Keyv backend: see why it is slow`,
        ),
      )
    }
    this.#queues.set(space, queue)
    queue.waiting++
    const result = queue.tail.then(step, step)
    const leave = (): void => {
      queue.waiting--
      if (queue.waiting === 0) this.#queues.delete(space)
    }
    queue.tail = result.then(leave, leave)
    return result
  }

  /** When everything that is queued now is through. */
  async idle(space: string): Promise<void> {
    await this.#queues.get(space)?.tail
  }
}
