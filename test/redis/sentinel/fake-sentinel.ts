import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../../../src/adapters/redis/ioredis/discovery.ts'

/** An address, no such master, silence, or whatever bytes. */
export type Says = Endpoint | null | 'nothing' | { readonly bytes: string }

/** A sentinel that says what it is told to, true or not. */
export class FakeSentinel {
  says: Says
  readonly host = '127.0.0.1'
  port = 0
  connections = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(says: Says) {
    this.says = says
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('data', (chunk) => this.#answer(socket, chunk.toString()))
    })
  }

  /** Of those that are open, the one that was opened first. */
  get oldest(): Socket | undefined {
    return [...this.#sockets][0]
  }

  get open(): number {
    return this.#sockets.size
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(port, '127.0.0.1', done))
    this.port = (this.#server.address() as { port: number }).port
    return this
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((done) => this.#server.close(done))
  }

  /** To all who are connected, as a real one does when it has seen a failover. */
  publish(channel: string, text: string): void {
    for (const socket of this.#sockets) socket.write(list('message', channel, text))
  }

  #answer(socket: Socket, text: string): void {
    const { says } = this
    if (says === 'nothing') return
    if (says && 'bytes' in says) {
      socket.write(says.bytes)
      return
    }
    for (const command of text.split(/(?=\*\d+\r\n)/)) socket.write(replyTo(command, says))
  }
}

function replyTo(command: string, address: Endpoint | null): string {
  if (command.includes('GET-MASTER-ADDR')) {
    return address ? list(address.host, String(address.port)) : '*-1\r\n'
  }
  if (command.includes('REPLICAS')) return '*0\r\n'
  return command.includes('SUBSCRIBE') ? list('subscribe', '+switch-master') : list('pong', '')
}

function list(...texts: string[]): string {
  return `*${texts.length}\r\n${texts.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`
}
