import type { Clock, Timer } from '../../contracts/clock.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { PassingMap } from '../../kernel/passing-map.ts'
import type { Script } from './scripts.ts'
import { errorClass, unavailable } from './session-errors.ts'
import type { Argument, Command, Reply, Transport } from './transport.ts'

/** More only queue up in the server, where nobody can give them up. */
const BATCHES_IN_FLIGHT = 4

/**
 * `digest`: a server that does not know the script is sent its source, and knows it from then on: that
 * is later than what was sent in between. `source`: at once, in its turn.
 */
export type ScriptSending = 'digest' | 'source'

interface Waiting {
  readonly command: Command
  /** What to send where the server does not know the script. */
  readonly inFull?: Command
  readonly since: number
  resolve(reply: Exclude<Reply, Error>): void
  reject(error: unknown): void
}

/** What is waiting for one node. */
interface Line {
  readonly node: string
  waiting: Waiting[]
  inFlight: number
  scheduled: boolean
  /** Only while something waits: with all batches stuck nothing else looks at it. */
  expiry: Timer | undefined
}

/**
 * Makes one pipeline per node of all that is asked in one turn of the microtasks. While four of them
 * are on their way to a node the next one fills up, and what has waited there for longer than an
 * operation may take is given up: its caller has been told so already.
 */
export class CommandQueue {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #lines = new PassingMap<string, Line>()

  constructor(transport: Transport, clock: Clock, timeoutMs: number) {
    this.#transport = transport
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** @throws what Redis answered, if that was an error. */
  run(node: string, command: Command, inFull?: Command): Promise<Exclude<Reply, Error>> {
    const line = this.#line(node)
    return new Promise((resolve, reject) => {
      const waiting = { command, since: this.#clock.now(), resolve, reject }
      line.waiting.push(inFull ? { ...waiting, inFull } : waiting)
      if (line.scheduled) return
      line.scheduled = true
      queueMicrotask(() => {
        line.scheduled = false
        this.#flush(line)
      })
    })
  }

  script(
    node: string,
    { sha, source }: Script,
    keys: readonly string[],
    args: readonly Argument[],
    by: ScriptSending,
  ): Promise<Exclude<Reply, Error>> {
    const rest = [keys.length, ...keys, ...args]
    if (by === 'source') return this.run(node, ['EVAL', source, ...rest])
    return this.run(node, ['EVALSHA', sha, ...rest], ['EVAL', source, ...rest])
  }

  #line(node: string): Line {
    let line = this.#lines.get(node)
    if (!line) {
      line = { node, waiting: [], inFlight: 0, scheduled: false, expiry: undefined }
      this.#lines.set(node, line)
    }
    return line
  }

  #flush(line: Line): void {
    if (line.inFlight >= BATCHES_IN_FLIGHT) {
      this.#expireLater(line)
      return
    }
    this.#clock.clearTimeout(line.expiry)
    line.expiry = undefined
    this.#dropLate(line)
    const batch = line.waiting
    line.waiting = []
    if (batch.length === 0) return
    line.inFlight++
    void this.#send(line.node, batch).finally(() => {
      line.inFlight--
      // Nodes come and go in Cluster.
      if (line.inFlight === 0 && line.waiting.length === 0) this.#lines.delete(line.node)
      else if (!line.scheduled) this.#flush(line)
    })
  }

  /** Who waits is in the order of time. */
  #expireLater(line: Line): void {
    const [first] = line.waiting
    if (line.expiry !== undefined || !first) return
    const ms = Math.max(0, first.since + this.#timeoutMs - this.#clock.now()) + 1
    // What has arrived while this process was busy is looked at first, and may send them.
    const expire = (): void => {
      line.expiry = undefined
      this.#dropLate(line)
      this.#expireLater(line)
    }
    line.expiry = this.#clock.setTimeout(
      () => this.#clock.immediate(() => line.expiry !== undefined && expire()),
      ms,
      { unref: true },
    )
  }

  #dropLate(line: Line): void {
    const oldest = this.#clock.now() - this.#timeoutMs
    const late = line.waiting.filter((one) => one.since < oldest)
    if (late.length === 0) return
    line.waiting = line.waiting.filter((one) => one.since >= oldest)
    for (const one of late) one.reject(tooLate())
  }

  /** Never rejects: each one that waits is told. */
  async #send(node: string, batch: readonly Waiting[]): Promise<void> {
    let replies: readonly Reply[]
    try {
      replies = await this.#transport.send(
        node,
        batch.map((one) => one.command),
      )
    } catch (error) {
      for (const one of batch) one.reject(error)
      return
    }
    const again: Waiting[] = []
    batch.forEach((one, at) => {
      const reply = replies[at]
      if (reply === undefined) one.reject(unavailable('Redis left a command without an answer'))
      else if (!(reply instanceof Error)) one.resolve(reply)
      else if (one.inFull && errorClass(reply) === 'NOSCRIPT') {
        const { resolve, reject } = one
        again.push({ command: one.inFull, since: one.since, resolve, reject })
      } else one.reject(reply)
    })
    if (again.length > 0) await this.#send(node, again)
  }
}

function tooLate(): ResilienceError {
  return new ResilienceError(
    'ERR_TIMEOUT',
    'Redis is too slow: four batches are on their way to it, and this one waited for too long',
  )
}
