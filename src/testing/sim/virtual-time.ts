/** Whoever an event happens to: a process may be held up, and may be gone. */
export interface Owner {
  /** What is due earlier happens then. */
  pausedUntil: number
  isGone: boolean
}

export interface Event {
  at: number
  readonly order: number
  readonly task: () => void
  readonly owner: Owner | undefined
  isCancelled: boolean
}

/** Events that are run between two turns of the loop of events: each turn costs more than they do. */
const BATCH = 32

/**
 * One time for everything that happens in a simulation, in milliseconds with fractions. It jumps from
 * one event to the next, and between two of them every promise that can settle does.
 */
export class VirtualTime {
  now = 0
  events = 0
  #order = 0
  #isOver = false
  readonly #heap: Event[] = []

  schedule(at: number, task: () => void, owner?: Owner): Event {
    const event: Event = {
      at: Math.max(at, this.now),
      order: this.#order++,
      task,
      owner,
      isCancelled: false,
    }
    this.#push(event)
    return event
  }

  after(ms: number, task: () => void, owner?: Owner): Event {
    return this.schedule(this.now + ms, task, owner)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }

  /**
   * Runs events until `main` has settled. Between two immediates Node empties the queues of promises
   * and ticks completely, so one immediate per event is exact; many are queued at a time.
   * @throws what `main` throws, and when nothing is left that could let it settle
   */
  run(main: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#isOver = true
        settle()
      }
      main.then(
        () => end(resolve),
        (error: unknown) => end(() => reject(error)),
      )
      const batch = (): void => {
        for (let i = 1; i < BATCH; i++) setImmediate(step)
        setImmediate(() => {
          step()
          if (!this.#isOver) batch()
        })
      }
      const step = (): void => {
        if (this.#isOver) return
        try {
          if (this.#next()) return
          end(() => reject(new Error('I8 something waits, and nothing can happen any more')))
        } catch (error) {
          end(() => reject(error))
        }
      }
      setImmediate(batch)
    })
  }

  #next(): boolean {
    for (let event = this.#pop(); event; event = this.#pop()) {
      const { owner } = event
      if (event.isCancelled || owner?.isGone) continue
      if (owner !== undefined && owner.pausedUntil > event.at) {
        // Its place among what else is held up stays.
        event.at = owner.pausedUntil
        this.#push(event)
        continue
      }
      this.now = event.at
      this.events++
      event.task()
      return true
    }
    return false
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Event
      if (isBefore(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    const { length } = heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++
      if (isBefore(last, heap[child] as Event)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
    return first
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
