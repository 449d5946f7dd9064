import type { Socket } from 'node:net'
import { RespReader } from '../../adapters/redis/ioredis/resp-reader.ts'
import type { Command, Reply } from '../../adapters/redis/transport.ts'
import type { Clock, Timer } from '../../contracts/clock.ts'
import { STEP_MS } from '../cli-world.ts'

/** Entries may be as large as that. */
const LONGEST_BYTES = 16 * 1024 * 1024

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** A connection over an open socket. After any failure it is closed, and stays so. */
export class Connection {
  /** What was published, where this connection has subscribed. */
  onMessage: ((payload: Buffer) => void) | undefined
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #reader = new RespReader(LONGEST_BYTES)
  readonly #waiting: Waiting[] = []
  #ended: Error | undefined

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(closed()))
  }

  /** An error that the server replied comes in the place of the reply. */
  async ask(...command: Command): Promise<Reply> {
    const [reply] = await this.all([command])
    return reply as Reply
  }

  /**
   * In one round trip.
   * @throws when not all replies came, or not in time
   */
  async all(commands: readonly Command[]): Promise<readonly Reply[]> {
    if (this.#ended) throw this.#ended
    const replies = commands.map(
      () => new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    )
    this.#socket.write(Buffer.concat(commands.map(encode)))
    const timer: Timer = this.#clock.setTimeout(() => this.#end(silent()), STEP_MS)
    try {
      return await Promise.all(replies)
    } finally {
      this.#clock.clearTimeout(timer)
    }
  }

  close(): void {
    this.#end(closed())
  }

  #read(chunk: Buffer): void {
    try {
      for (const reply of this.#reader.push(chunk)) this.#take(reply)
    } catch (error) {
      this.#end(error as Error)
    }
  }

  #take(reply: Reply): void {
    const kind = Array.isArray(reply) && Buffer.isBuffer(reply[0]) ? reply[0].toString() : ''
    if (kind === 'message' || kind === 'smessage') {
      this.onMessage?.((reply as readonly Buffer[])[2] as Buffer)
      return
    }
    const waiting = this.#waiting.shift()
    // Said to everybody who connects, before anything was asked.
    if (!waiting && reply instanceof Error) this.#end(reply)
    waiting?.resolve(reply)
  }

  #end(error: Error): void {
    if (this.#ended) return
    this.#ended = error
    this.#socket.destroy()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }
}

function encode(command: Command): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${command.length}\r\n`)]
  for (const argument of command) {
    const bytes = Buffer.from(
      argument instanceof Uint8Array ? argument : Buffer.from(String(argument)),
    )
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
}

function silent(): Error {
  return Object.assign(new Error('no reply in time'), { code: 'ETIMEDOUT' })
}
