import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../contracts/clock.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import type { Operation, WorkerMessage, WorkerRequest, WorkerSetup } from './protocol.ts'

/** A worker that hangs must not fill the memory with requests that nobody waits for any more. */
const PENDING_MAX = 10_000
/** After a thread died twice without an answer in between, the next one waits this long. */
const RESTART_PAUSE_MS = 1000
/** A thread that is starting answers later than one that runs: its requests keep the process longer. */
const STARTING_MS = 1000
/** How long `close` waits for a thread that does not end by itself. */
const CLOSE_WAIT_MS = 1000

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface LinkEvents {
  /** A thread was started: what it must know comes first. */
  onStart(): void
  onMessage(message: WorkerMessage): void
  onCrash(error: ResilienceError): void
}

/**
 * The line to the worker thread of one file: starts it on the first request and again after it died,
 * sends what is asked in one turn of the event loop as one message, and pairs answers with callers.
 */
export class WorkerLink {
  restarts = 0
  readonly #setup: WorkerSetup
  readonly #clock: Clock
  readonly #keepAliveMs: number
  readonly #events: LinkEvents
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #outbox: WorkerRequest[] = []
  #nextId = 1
  #running = false
  #keptUntil = 0
  #timer: Timer
  #deaths = 0
  #diedAt = 0

  constructor(setup: WorkerSetup, clock: Clock, keepAliveMs: number, events: LinkEvents) {
    this.#setup = setup
    this.#clock = clock
    this.#keepAliveMs = keepAliveMs
    this.#events = events
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Starts the thread now; otherwise the first request does. */
  start(): void {
    if (!this.#worker) this.#start(true)
  }

  request(space: string, now: number, operation: Operation): Promise<unknown> {
    const worker = this.#worker ?? this.#start(operation.name === 'probe')
    if (worker instanceof Error) return Promise.reject(worker)
    return this.#send(worker, space, now, operation)
  }

  /** Waits for the answers that are due, then ends the thread. */
  async close(now: number): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#send(worker, '', now, { name: 'close' }).catch(() => {})
    worker.ref()
    const timer = this.#clock.setTimeout(() => {
      // It may hang inside SQLite, where it cannot be interrupted: the process may go without it.
      worker.unref()
      void worker.terminate()
      this.#lose(
        worker,
        unavailable('the worker of the cache file did not end: see what blocks its disk'),
      )
    }, CLOSE_WAIT_MS)
    await Promise.race([ended, this.#settled(worker)])
    this.#clock.clearTimeout(timer)
  }

  #lost: (() => void) | undefined

  #settled(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      if (this.#worker === worker) this.#lost = resolve
      else resolve()
    })
  }

  #send(worker: Worker, space: string, now: number, operation: Operation): Promise<unknown> {
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.reject(
        unavailable(
          `more than ${PENDING_MAX} requests wait for the cache file: it is slower than what is asked of it; see what blocks its disk`,
        ),
      )
    }
    const id = this.#nextId++
    if (this.#outbox.length === 0) void Promise.resolve().then(() => this.#flush())
    this.#outbox.push({ id, space, now, operation })
    if (this.#pending.size === 0) worker.ref()
    this.#keepAlive()
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  #flush(): void {
    const requests = this.#outbox
    this.#outbox = []
    const worker = this.#worker
    if (!worker || requests.length === 0) return
    try {
      worker.postMessage(requests)
    } catch (cause) {
      const error = unavailable(
        'a request could not be sent to the worker of the cache file',
        cause,
      )
      for (const { id } of requests) this.#settle(id, (pending) => pending.reject(error))
    }
  }

  /**
   * A request keeps the process alive as long as its caller waits, which is the store's deadline and
   * no longer: a hung thread must not hold up an exit.
   */
  #keepAlive(): void {
    const ms = this.#running ? this.#keepAliveMs : Math.max(this.#keepAliveMs, STARTING_MS)
    this.#keptUntil = this.#clock.now() + ms
    if (this.#timer === undefined) this.#arm(ms)
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined
        const rest = this.#keptUntil - this.#clock.now()
        if (rest > 0 && this.#pending.size > 0) this.#arm(rest)
        else this.#worker?.unref()
      },
      ms,
      { unref: true },
    )
  }

  #idle(): void {
    this.#worker?.unref()
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #start(atOnce: boolean): Worker | ResilienceError {
    const paused = this.#deaths > 1 && this.#clock.now() - this.#diedAt < RESTART_PAUSE_MS
    if (paused && !atOnce) {
      return unavailable(
        'the worker of the cache file died twice in a row and pauses: see its error',
      )
    }
    let worker: Worker
    try {
      // From source the thread runs TypeScript as it is; in the build it lies beside the chunks.
      const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js'
      worker = new Worker(new URL(file, import.meta.url), {
        name: 'resilient-cache-sqlite',
        workerData: this.#setup,
        // The flags and loaders of the program are not for this thread.
        execArgv: [],
        // Closing a descriptor of the file when the thread ends would drop the locks of others.
        trackUnmanagedFds: false,
      })
    } catch (cause) {
      const error = unavailable('the worker of the cache file cannot be started', cause)
      this.#died()
      this.#events.onCrash(error)
      return error
    }
    worker.unref()
    if (this.#deaths > 0) this.restarts++
    this.#worker = worker
    this.#running = false
    worker.on('message', (message: WorkerMessage) => this.#receive(message))
    worker.on('error', (cause) => this.#lose(worker, crashed(cause)))
    worker.on('exit', () => this.#lose(worker, crashed()))
    this.#events.onStart()
    return worker
  }

  #receive(message: WorkerMessage): void {
    this.#deaths = 0
    this.#running = true
    this.#events.onMessage(message)
    for (const reply of message.replies) {
      this.#settle(reply.id, (pending) => {
        if ('error' in reply) pending.reject(unavailable(reply.error))
        else pending.resolve(reply.value)
      })
    }
  }

  #settle(id: number, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#idle()
    settle(pending)
  }

  #lose(worker: Worker, error: ResilienceError): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#outbox = []
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    this.#idle()
    this.#died()
    for (const pending of waiting) pending.reject(error)
    this.#lost?.()
    this.#events.onCrash(error)
  }

  #died(): void {
    this.#deaths++
    this.#diedAt = this.#clock.now()
  }
}

function crashed(cause?: unknown): ResilienceError {
  return unavailable(
    'the worker of the cache file ended; it starts again with the next request. If it never comes up, keep this package out of your bundle, or copy sqlite-worker.js beside it',
    cause,
  )
}

export function unavailable(message: string, cause?: unknown): ResilienceError {
  return new ResilienceError('ERR_L2_UNAVAILABLE', message, cause === undefined ? {} : { cause })
}
