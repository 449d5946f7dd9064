import type { Scheduler } from 'fast-check'
import type { Clock } from '../../src/contracts/clock.ts'
import type {
  BusMessage,
  Store,
  StoreContext,
  StoreSession,
  WriteReply,
  WriteRequest,
} from '../../src/contracts/store.ts'

/** Decides when what is under way comes through: at once, or when fast-check's scheduler says so. */
export class Traffic {
  readonly scheduler: Scheduler
  /** While true nothing waits for the scheduler. */
  flowing = false
  /** Whether messages arrive at all. */
  readonly bus: boolean

  constructor(scheduler: Scheduler, bus: boolean) {
    this.scheduler = scheduler
    this.bus = bus
  }

  async pass(label: string): Promise<void> {
    if (!this.flowing) await this.scheduler.schedule(Promise.resolve(), label)
  }
}

/** What one node has seen of its store; kept apart from what the cache says about it. */
export class StoreLog {
  /** Called when the node hears of a write, an invalidation or a lost lease: of some keys, or of any. */
  onOvertaken: (keys?: readonly string[]) => void = () => {}
  operations = 0
  /** Messages of other nodes that have not arrived yet. */
  untold = 0
  /** The last place in the order of events at which none was on its way. */
  toldAt = 0
  /** Commits that the store has refused. */
  refused = 0
  /** When an operation last failed or took longer than its deadline. */
  troubledAt = Number.NEGATIVE_INFINITY
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #waiting = new Set<{ readonly since: number }>()

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** The last instant at which the store did not answer in time, `now` if it does not at present. */
  trouble(): number {
    const now = this.#clock.now()
    for (const { since } of this.#waiting) if (now - since >= this.#timeoutMs) this.troubledAt = now
    return this.troubledAt
  }

  begin(): { readonly since: number } {
    this.operations++
    const operation = { since: this.#clock.now() }
    this.#waiting.add(operation)
    return operation
  }

  end(operation: { readonly since: number }, failed: boolean): void {
    this.#waiting.delete(operation)
    const now = this.#clock.now()
    if (failed || now - operation.since >= this.#timeoutMs) this.troubledAt = now
  }
}

/**
 * A store as one connection shows it: operations take effect in the order in which they were sent, at
 * any later moment, and each reply comes at any moment after that.
 */
export function scheduledStore(store: Store, traffic: Traffic, log: StoreLog): Store {
  return {
    source: store.source,
    coherence: store.coherence,
    supports: store.supports,
    timeoutMs: store.timeoutMs,
    open: (context) =>
      scheduledSession(
        store.open({ ...context, onMessage: scheduledBus(context, traffic, log) }),
        traffic,
        log,
      ),
  }
}

/** Messages come late, but in their order. */
function scheduledBus(context: StoreContext, traffic: Traffic, log: StoreLog) {
  let tail: Promise<void> = Promise.resolve()
  return (message: BusMessage): void => {
    log.untold++
    if (!traffic.bus) return
    tail = tail.then(async () => {
      await traffic.pass(`message ${message.kind}`)
      if (message.kind !== 'released') log.onOvertaken(keysOf(message))
      context.onMessage?.(message)
      log.untold--
    })
  }
}

/** Of a stamp none: it may be of all. */
function keysOf(message: BusMessage): readonly string[] | undefined {
  if ('keys' in message) return message.keys
  return 'key' in message ? [message.key] : undefined
}

function scheduledSession(inner: StoreSession, traffic: Traffic, log: StoreLog): StoreSession {
  let tail: Promise<void> = Promise.resolve()

  async function run<R>(label: string, operation: () => Promise<R>): Promise<R> {
    const logged = log.begin()
    try {
      let reply: Promise<R> | undefined
      tail = tail.then(async () => {
        await traffic.pass(label)
        reply = operation()
        reply.catch(() => {})
      })
      await tail
      const result = await (reply as Promise<R> | undefined)
      await traffic.pass(`${label} reply`)
      log.end(logged, false)
      return result as R
    } catch (error) {
      log.end(logged, true)
      throw error
    }
  }

  return {
    read: (request) => run('read', () => inner.read(request)),
    async write(request: WriteRequest): Promise<WriteReply> {
      const reply = await run('write', () => inner.write(request))
      if (!reply.stored) log.refused++
      return reply
    },
    delete: (keys) => run('delete', () => inner.delete(keys)),
    stamp: (tags, mode) => run('stamp', () => inner.stamp(tags, mode)),
    async renew(key, token, ms): Promise<boolean> {
      const isOurs = await run('renew', () => inner.renew(key, token, ms))
      if (!isOurs) log.onOvertaken([key])
      return isOurs
    },
    release: (key, token, end) => run('release', () => inner.release(key, token, end)),
    probe: () => run('probe', () => inner.probe()),
    close: () => inner.close(),
  }
}
