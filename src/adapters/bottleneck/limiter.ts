import Bottleneck from 'bottleneck'
import type { RunOptions } from '../../contracts/runner.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { Events } from '../../kernel/events.ts'
import { PassingSet } from '../../kernel/passing-map.ts'
import { Job, type JobListener } from './job.ts'
import type { LimiterSettings } from './limiter-options.ts'
import { SharedLimiter } from './shared-limiter.ts'
import { type StoreState, StoreWatch } from './store-watch.ts'

export interface BottleneckEvents {
  /** The store does not answer: jobs are limited in this process. */
  'store-lost': { readonly name: string; readonly waiting: number }
  /** It answers again, and limits the jobs that come from now on. */
  'store-back': { readonly name: string }
  /** What the client or bottleneck complains of; jobs are taken care of all the same. */
  error: { readonly name: string; readonly error: unknown }
}

export interface BottleneckLimiterStats {
  readonly waiting: number
  readonly running: number
  /** Tasks that have ended, well or not. */
  readonly completed: number
  /** Of those that were started, how many under the local limiter while the store was lost. */
  readonly startedLocally: number
  /** Refused by `highWater`. */
  readonly dropped: number
  readonly storeLosses: number
  readonly store: StoreState | 'none'
}

/** Jobs of one limiter, and where each of them waits. */
export class Limiter implements JobListener {
  readonly #settings: LimiterSettings
  readonly #events = new Events<BottleneckEvents>()
  readonly #waiting = new PassingSet<Job>()
  readonly #shared: SharedLimiter | undefined
  readonly #watch: StoreWatch | undefined
  #local: Bottleneck | undefined
  #isClosed = false
  #running = 0
  #completed = 0
  #startedLocally = 0
  #dropped = 0
  #storeLosses = 0

  constructor(settings: LimiterSettings) {
    this.#settings = settings
    if (!settings.usesStore) return
    const { name, clock, storeWaitMs } = settings
    const shared = new SharedLimiter(settings, (error) => this.#complain(error))
    const store = {
      probe: () => shared.probe(),
      isWanted: () => this.#waiting.size > 0,
      onLost: () => this.#onLost(),
      onBack: () => this.#events.emit('store-back', { name }),
    }
    this.#shared = shared
    this.#watch = new StoreWatch(store, clock, storeWaitMs)
  }

  run(task: (signal: AbortSignal) => unknown, options: RunOptions | undefined): Promise<unknown> {
    const job = new Job(task, options, this)
    if (this.#isClosed) job.refuse(this.#closed())
    else if (job.state === 'waiting') this.#place(job)
    return job.promise
  }

  on<N extends keyof BottleneckEvents>(
    event: N,
    listener: (event: BottleneckEvents[N]) => unknown,
  ): () => void {
    return this.#events.on(event, listener)
  }

  stats(): BottleneckLimiterStats {
    return {
      waiting: this.#waiting.size,
      running: this.#running,
      completed: this.#completed,
      startedLocally: this.#startedLocally,
      dropped: this.#dropped,
      storeLosses: this.#storeLosses,
      store: this.#watch?.state ?? 'none',
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch?.stop()
    for (const job of [...this.#waiting]) job.refuse(this.#closed())
    // Copies that wait in it would keep the process alive until their turn. Not awaited: it waits for
    // the tasks that run.
    this.#local?.stop({ dropWaitingJobs: true }).catch(() => {})
    await this.#local?.disconnect(false)
    await this.#shared?.close()
  }

  left(job: Job): void {
    this.#waiting.delete(job)
    if (job.state === 'running') this.#running++
    if (this.#waiting.size === 0) this.#watch?.rest()
  }

  ended(): void {
    this.#running--
    this.#completed++
  }

  #place(job: Job): void {
    this.#waiting.add(job)
    if (!this.#shared || !this.#watch) {
      this.#placeLocally(job)
      return
    }
    const { state } = this.#watch
    if (state === 'lost') this.#placeLocally(job)
    else this.#placeInStore(job, this.#shared)
    this.#watch.wake()
  }

  #placeInStore(job: Job, shared: SharedLimiter): void {
    const { forgetAfterMs } = this.#settings
    const options = { ...optionsOf(job), ...(forgetAfterMs && { expiration: forgetAfterMs }) }
    shared
      .schedule(options, () => job.claim())
      .catch((error: unknown) => {
        if (job.state !== 'waiting') return
        if (error instanceof Bottleneck.BottleneckError) {
          this.#refuse(job, error)
          return
        }
        this.#complain(error)
        if (this.#isClosed) return
        this.#watch?.lose()
        // Lost since longer: those that waited then have been taken over, this one has not.
        if (job.state === 'waiting' && !job.isLocal) this.#placeLocally(job)
      })
  }

  #placeLocally(job: Job): void {
    job.isLocal = true
    this.#local ??= new Bottleneck(this.#settings.local)
    this.#local
      .schedule(optionsOf(job), () => {
        if (job.state === 'waiting' && this.#shared) this.#startedLocally++
        return job.claim()
      })
      .catch((error: unknown) => this.#refuse(job, error))
  }

  #onLost(): void {
    this.#storeLosses++
    this.#events.emit('store-lost', { name: this.#settings.name, waiting: this.#waiting.size })
    for (const job of [...this.#waiting]) {
      if (!job.isLocal) this.#placeLocally(job)
    }
  }

  #refuse(job: Job, error: unknown): void {
    if (job.state !== 'waiting') return
    const text = error instanceof Error ? error.message : ''
    const { name } = this.#settings
    if (text.startsWith('Impossible to add')) {
      const message = `limiter '${name}': the weight of a job is above maxConcurrent, so it could never run`
      job.refuse(new ResilienceError('ERR_INVALID_OPTION', message, { cause: error }))
      return
    }
    this.#dropped++
    const message = `limiter '${name}' dropped a job: highWater jobs are waiting; try later, or raise it`
    job.refuse(new ResilienceError('ERR_RATE_LIMITED', message, { cause: error }))
  }

  #complain(error: unknown): void {
    this.#events.emit('error', { name: this.#settings.name, error })
  }

  #closed(): ResilienceError {
    return new ResilienceError(
      'ERR_CLOSED',
      `limiter '${this.#settings.name}' is closed: close it after its last job`,
    )
  }
}

function optionsOf({ weight, priority }: Job): Bottleneck.JobOptions {
  return { weight, priority }
}
