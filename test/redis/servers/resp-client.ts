import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Reply, ReplyError, RespParser } from './resp-parser.ts'

/** What a command may be made of. */
export type Argument = string | number | Buffer

/** Where and as whom the client connects. */
export interface RespClientOptions {
  readonly port: number
  readonly host?: string
  readonly password?: string | undefined
  /** The path of the authority's certificate; set for a server that speaks TLS. */
  readonly ca?: string | undefined
  /** Milliseconds until a command that got no answer is rejected. Default: 5,000. */
  readonly timeoutMs?: number
}

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/**
 * The smallest client that can drive a server in a test, apart from the client under test. One
 * connection, opened by the first command and again by the next one after it was lost.
 */
export class RespClient {
  readonly #options: RespClientOptions
  readonly #waiting: Waiting[] = []
  #socket: Socket | undefined

  constructor(options: RespClientOptions) {
    this.#options = options
  }

  /** Sends one command; error replies reject with a `ReplyError`. */
  async send(...args: readonly Argument[]): Promise<Reply> {
    const socket = this.#socket ?? this.#open()
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const { timeoutMs = 5_000 } = this.#options
    const timer = setTimeout(() => {
      reject(new Error(`No answer from port ${this.#options.port} within ${timeoutMs} ms`))
      socket.destroy()
    }, timeoutMs)
    this.#waiting.push({ resolve, reject })
    socket.write(encode(args))
    try {
      const reply = await promise
      if (reply instanceof ReplyError) throw reply
      return reply
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    const { port, host = '127.0.0.1', password, ca } = this.#options
    const socket =
      ca === undefined ? connect(port, host) : connectTls({ port, host, ca: readFileSync(ca) })
    this.#socket = socket
    // An idle client keeps no process alive; a waiting command has its timer.
    socket.unref()
    socket.setNoDelay(true)
    const parser = new RespParser()
    let failure = new Error(`Port ${port} closed the connection`)
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('data', (chunk: Buffer) => {
      for (const reply of parser.push(chunk)) this.#waiting.shift()?.resolve(reply)
    })
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      for (const waiting of this.#waiting.splice(0)) waiting.reject(failure)
    })
    if (password !== undefined) {
      // A refused password shows in the command that follows.
      this.#waiting.push({ resolve: () => {}, reject: () => {} })
      socket.write(encode(['AUTH', password]))
    }
    return socket
  }
}

function encode(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)]
  for (const argument of args) {
    const bytes = Buffer.isBuffer(argument) ? argument : Buffer.from(String(argument))
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

/** A reply with text instead of bytes. */
export type TextReply = string | number | null | ReplyError | TextReply[]

export function asText(reply: Reply): TextReply {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? reply.map(asText) : reply
}
