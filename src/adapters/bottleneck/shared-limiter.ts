import Bottleneck from 'bottleneck'
import { hardened, type StoreConnection } from './hardened-connection.ts'
import type { LimiterSettings } from './limiter-options.ts'

const IGNORED = (): void => {}

/**
 * The limiter that keeps its state in Redis. bottleneck gives up for ever when the very first script
 * fails (a read-only replica, a password that is repaired later): then another one is made.
 */
export class SharedLimiter {
  readonly #settings: LimiterSettings
  readonly #onError: (error: unknown) => void
  readonly #connection: StoreConnection
  readonly #isOwn: boolean
  #bottleneck: Bottleneck
  #hasFailed = false

  constructor(settings: LimiterSettings, onError: (error: unknown) => void) {
    this.#settings = settings
    this.#onError = onError
    const { connection } = settings.shared
    this.#isOwn = (connection ?? null) === null
    this.#connection = hardened(connection ?? connect(settings.shared))
    // Both kinds have it; TypeScript does not unite the overloads.
    ;(this.#connection as Bottleneck.IORedisConnection).on('error', onError)
    this.#bottleneck = this.#make()
  }

  schedule(options: Bottleneck.JobOptions, run: () => Promise<void>): Promise<void> {
    return this.#bottleneck.schedule(options, run)
  }

  /** Whether the store answers: resolves when it has, with whatever. Makes lost keys anew. */
  async probe(): Promise<void> {
    if (this.#hasFailed) this.#bottleneck = this.#make()
    await this.#bottleneck.check()
  }

  async close(): Promise<void> {
    const bottleneck = this.#bottleneck
    if (this.#isOwn) {
      // Not awaited: it waits for the tasks that run.
      bottleneck.stop({ dropWaitingJobs: true }).catch(IGNORED)
      // Without `flush`: QUIT would wait for a server that may be dead.
      await this.#connection.disconnect(false)
      return
    }
    // Not `stop`: places that jobs have already taken in the store have to be given back.
    ;(bottleneck as unknown as { _dropAllQueued(): void })._dropAllQueued()
    forget(this.#connection, this.#onError)
    const leave = (): unknown => bottleneck.disconnect(false)
    await leave()
    // Closed before it was ready, it would enter itself after that.
    bottleneck.ready().then(leave, leave).catch(IGNORED)
  }

  #make(): Bottleneck {
    this.#hasFailed = false
    const made = new Bottleneck({ ...this.#settings.shared, connection: this.#connection })
    made.on('error', this.#onError)
    made.ready().then(IGNORED, () => {
      this.#hasFailed = true
    })
    return made
  }
}

/** Takes a listener from a connection of the user: bottleneck can only remove those of everybody. */
function forget(connection: StoreConnection, onError: (error: unknown) => void): void {
  const { _events: events } = (
    connection as unknown as { Events: { _events: { error?: { cb: unknown }[] } } }
  ).Events
  events.error = (events.error ?? []).filter(({ cb }) => cb !== onError)
}

function connect(options: Bottleneck.ConstructorOptions): StoreConnection {
  const { Redis, clientOptions, clusterNodes, datastore } = options
  if (datastore === 'redis') return new Bottleneck.RedisConnection({ Redis, clientOptions })
  // What has been sent waits for the reconnection: a place that is given back must not get lost.
  const patient = { maxRetriesPerRequest: null, ...clientOptions }
  const made = new Bottleneck.IORedisConnection({
    Redis,
    clientOptions: patient,
    clusterNodes: clusterNodes ?? null,
  })
  handleResubscription(made)
  return made
}

/**
 * After a reconnection ioredis subscribes again and drops the promise: a connection that is closed
 * before the answer would leave an unhandled rejection, which ends the process.
 */
function handleResubscription(connection: Bottleneck.IORedisConnection): void {
  const { subscriber } = connection as unknown as {
    subscriber: { subscribe(...args: unknown[]): Promise<unknown> }
  }
  const subscribe = subscriber.subscribe.bind(subscriber)
  subscriber.subscribe = (...args) => {
    const answer = subscribe(...args)
    answer.catch(IGNORED)
    return answer
  }
}
