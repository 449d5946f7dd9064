import { connect, createServer, type Server, type Socket } from 'node:net'

/** What the cache calls the connection on which it listens. */
const BUS = 'resilient-cache:bus'

/** A TCP proxy that can swallow what the connections for messages are sent, and nothing else. */
export class BusProxy {
  port = 0
  isMute = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, '127.0.0.1')
      let isBus = false
      client.on('data', (chunk) => {
        isBus ||= chunk.includes(BUS)
        if (!(isBus && this.isMute)) server.write(chunk)
      })
      server.on('data', (chunk) => {
        if (!(isBus && this.isMute)) client.write(chunk)
      })
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket)
        socket.setNoDelay(true)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      }
    })
  }

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    this.port = (this.#server.address() as { port: number }).port
    return this
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((done) => this.#server.close(done))
  }
}
