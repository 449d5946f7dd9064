import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort, releasePort } from './ports.ts'
import { Direction, type Fault } from './proxy-fault.ts'
import { Lane } from './proxy-lane.ts'

/** Options of `startProxy`. */
export interface ProxyOptions {
  readonly target: { readonly port: number; readonly host?: string }
  /** Default: a free one. */
  readonly port?: number
}

/** Which bytes a fault concerns, seen from the client. */
export type Way = 'replies' | 'requests' | 'both'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  readonly lanes: readonly Lane[]
}

/** Starts a TCP proxy on 127.0.0.1 that passes until it is told to do worse. */
export async function startProxy({ target, port }: ProxyOptions): Promise<FaultProxy> {
  const own = port ?? (await freePort())
  const proxy = new FaultProxy(own, port === undefined, target)
  await proxy.accept()
  return proxy
}

/** A TCP proxy whose faults can be set while it runs, for connections that are open as well. */
export class FaultProxy {
  readonly host = '127.0.0.1'
  readonly port: number
  /** When a connection was accepted, by `performance.now()`; those that were refused never arrive. */
  readonly acceptedAt: number[] = []
  #owned: boolean
  #target: ProxyOptions['target']
  #server: Server | undefined
  #rejects = false
  readonly #replies = new Direction()
  readonly #requests = new Direction()
  readonly #pairs = new Set<Pair>()

  constructor(port: number, owned: boolean, target: ProxyOptions['target']) {
    this.port = port
    this.#owned = owned
    this.#target = target
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`
  }

  /** Connections open now. */
  get open(): number {
    return this.#pairs.size
  }

  /** Connections accepted so far, those of `rejectNew` included. */
  get accepted(): number {
    return this.acceptedAt.length
  }

  /** Sets the fault of a direction, of what the clients receive by default. */
  set(fault: Fault, way: Way = 'replies'): void {
    if (way !== 'requests') this.#replies.set(fault)
    if (way !== 'replies') this.#requests.set(fault)
    for (const { lanes } of this.#pairs) for (const lane of lanes) lane.changed()
  }

  /** Passes in both directions and accepts again. */
  async heal(): Promise<void> {
    this.#rejects = false
    this.set({ kind: 'pass' }, 'both')
    await this.accept()
  }

  /** Where connections go from now on; open ones stay where they are. */
  retarget(target: ProxyOptions['target']): void {
    this.#target = target
  }

  /** Closes the listening socket: new connections get ECONNREFUSED. Open ones stay. */
  async refuse(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    // The socket is closed at once; the event waits for open connections too.
    await Promise.race([closed, new Promise((resolve) => setImmediate(resolve))])
  }

  /** Listens again after `refuse`. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true }, (client) => this.#serve(client))
    this.#server = server
    server.listen(this.port, this.host)
    await once(server, 'listening')
  }

  /** Resets new connections after accepting them, so that they are counted. */
  rejectNew(on = true): void {
    this.#rejects = on
  }

  /** Resets all open connections on both sides, as a load balancer does when it restarts. */
  reset(): void {
    for (const pair of this.#pairs) this.#reset(pair)
  }

  async stop(): Promise<void> {
    await this.refuse()
    this.reset()
    if (this.#owned) releasePort(this.port)
    this.#owned = false
  }

  #serve(client: Socket): void {
    this.acceptedAt.push(performance.now())
    client.on('error', () => {})
    if (this.#rejects) {
      client.resetAndDestroy()
      return
    }
    const { port, host = '127.0.0.1' } = this.#target
    const server = connect({ port, host, allowHalfOpen: true })
    client.setNoDelay(true)
    server.setNoDelay(true)
    const owner = { reset: () => this.#reset(pair) }
    const pair: Pair = {
      client,
      server,
      lanes: [
        new Lane(client, server, this.#requests, owner),
        new Lane(server, client, this.#replies, owner),
      ],
    }
    this.#pairs.add(pair)
    // A lost or impossible connection to the target is one for the client, if the fault lets it see.
    server.on('error', () => {
      if (this.#replies.fault.kind !== 'black-hole') this.#reset(pair)
    })
    client.on('error', () => {
      if (this.#requests.fault.kind !== 'black-hole') this.#reset(pair)
    })
    client.once('close', () => this.#forgetClosed(pair))
    server.once('close', () => this.#forgetClosed(pair))
  }

  #reset(pair: Pair): void {
    this.#pairs.delete(pair)
    for (const lane of pair.lanes) lane.close()
    for (const socket of [pair.client, pair.server]) {
      if (socket.destroyed) continue
      // While its end is being sent it cannot be reset: its handle would never be closed.
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  #forgetClosed(pair: Pair): void {
    if (!pair.client.destroyed || !pair.server.destroyed) return
    for (const lane of pair.lanes) lane.close()
    this.#pairs.delete(pair)
  }
}
