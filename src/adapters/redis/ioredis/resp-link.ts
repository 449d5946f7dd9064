import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Reply } from '../transport.ts'
import type { Endpoint } from './discovery.ts'
import type { NameLookup } from './name-lookup.ts'
import { RespReader } from './resp-reader.ts'
import type { Credentials } from './settings.ts'

// Why not a client: it would resolve names by itself, end a hung connection politely instead of
// destroying it, and keep timers of its own. A sentinel is asked two questions.

/** More than any reply of a sentinel. */
const LONGEST_BYTES = 1024 * 1024

/** A reply as text: sentinels speak of names and numbers. What the server said is wrong is an error. */
export type RespValue = string | number | null | Error | readonly RespValue[]

export interface LinkSettings {
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly tls: ConnectionOptions | undefined
  readonly names: NameLookup
}

interface Waiting {
  resolve(reply: RespValue): void
  reject(error: Error): void
}

/** One connection that is used once: after any error it is destroyed, never opened again. */
export class RespLink {
  /** What was published, where this link has subscribed. */
  onMessage: ((channel: string, payload: string) => void) | undefined
  onEnd: (() => void) | undefined
  readonly #socket: Socket
  readonly #reader = new RespReader(LONGEST_BYTES)
  readonly #waiting: Waiting[] = []
  #ended: Error | undefined

  constructor({ endpoint, credentials, tls, names }: LinkSettings) {
    const address = { host: endpoint.host, port: endpoint.port, lookup: names.forSocket }
    this.#socket = tls ? connectTls({ ...tls, ...address }) : connect(address)
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#read(chunk))
    this.#socket.on('error', (error) => this.destroy(error))
    this.#socket.on('close', () => this.destroy(closed()))
    if (credentials.password !== undefined) this.#authenticate(credentials)
  }

  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** The process may end while this is open. */
  unref(): this {
    this.#socket.unref()
    return this
  }

  /** An error that the server replied is in the place of the reply. */
  command(...words: readonly string[]): Promise<RespValue> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended)
      this.#waiting.push({ resolve, reject })
      this.#socket.write(encode(words))
    })
  }

  destroy(error: Error = closed()): void {
    if (this.#ended) return
    this.#ended = error
    this.#socket.destroy()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
    this.onEnd?.()
  }

  /**
   * In the same packet as the question. A server that has no password refuses it and answers the
   * question all the same; else what it refused is worth more than the NOAUTH that follows.
   */
  #authenticate({ username, password = '' }: Credentials): void {
    const words = username === undefined ? [password] : [username, password]
    // Before the answers that came with it are handed out, so not by a promise.
    const resolve = (reply: RespValue) => {
      if (reply instanceof Error && /^(WRONGPASS|NOPERM)/.test(reply.message)) {
        this.destroy(reply)
      }
    }
    this.#waiting.push({ resolve, reject: () => {} })
    this.#socket.write(encode(['AUTH', ...words]))
  }

  #read(chunk: Buffer): void {
    try {
      for (const reply of this.#reader.push(chunk)) this.#take(textual(reply))
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  #take(value: RespValue): void {
    if (Array.isArray(value) && value[0] === 'message') {
      this.onMessage?.(String(value[1]), String(value[2]))
      return
    }
    this.#waiting.shift()?.resolve(value)
  }
}

function encode(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return `*${words.length}\r\n${parts.join('')}`
}

function textual(reply: Reply): RespValue {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? reply.map(textual) : (reply as number | null | Error)
}

function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
}
