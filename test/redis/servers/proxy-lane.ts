import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Direction, Fault } from './proxy-fault.ts'

interface Piece {
  readonly bytes: Buffer
  readonly arrived: number
}

/** What a lane may do with the connection it belongs to. */
export interface LaneOwner {
  reset(): void
}

/** One direction of one connection: what came and has not left yet, in order. */
export class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #direction: Direction
  readonly #owner: LaneOwner
  readonly #queue: Piece[] = []
  #ended = false
  #closed = false
  #moving = false
  /** Of the fault in force: bytes forwarded, whether it happened to this connection. */
  #generation = -1
  #carried = 0
  #struck = false
  #wake: (() => void) | undefined

  constructor(from: Socket, to: Socket, direction: Direction, owner: LaneOwner) {
    this.#from = from
    this.#to = to
    this.#direction = direction
    this.#owner = owner
    from.on('data', (bytes: Buffer) => {
      this.#queue.push({ bytes, arrived: performance.now() })
      void this.#move()
    })
    from.once('end', () => {
      this.#ended = true
      void this.#move()
    })
    this.changed()
  }

  /** The fault of the direction is another one now. */
  changed(): void {
    if (this.#direction.fault.kind === 'pause') this.#from.pause()
    else this.#from.resume()
    this.#wake?.()
    void this.#move()
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  async #move(): Promise<void> {
    if (this.#moving) return
    this.#moving = true
    try {
      while (!this.#closed && !this.#holds()) {
        const piece = this.#queue[0]
        if (piece === undefined) break
        await this.#forward(piece)
      }
      if (this.#ended && this.#queue.length === 0 && !this.#closed && !this.#holds()) {
        this.#to.end()
      }
    } finally {
      this.#moving = false
    }
  }

  #holds(): boolean {
    this.#follow()
    const { kind } = this.#direction.fault
    return kind === 'black-hole' || kind === 'pause' || (kind === 'stall' && this.#struck)
  }

  /** Starts to count anew when another fault was set. */
  #follow(): void {
    if (this.#generation === this.#direction.generation) return
    this.#generation = this.#direction.generation
    this.#carried = 0
    this.#struck = false
  }

  async #forward(piece: Piece): Promise<void> {
    const { fault } = this.#direction
    if (fault.kind === 'delay') {
      const wait = piece.arrived + fault.ms - performance.now()
      if (wait > 0) {
        await this.#pause(wait)
        return
      }
    }
    if (fault.kind === 'dribble') {
      this.#take(Math.min(fault.bytes ?? 1, piece.bytes.length))
      await this.#pause(fault.everyMs ?? 1)
      return
    }
    if (this.#strikes(fault)) this.#strike(fault, piece)
    else this.#take(piece.bytes.length)
  }

  #strikes(fault: Fault): boolean {
    if (this.#struck || !this.#direction.armed) return false
    const length = this.#queue[0]?.bytes.length ?? 0
    switch (fault.kind) {
      case 'cut':
      case 'stall':
        return this.#carried + length > fault.afterBytes
      case 'flip':
        return this.#carried + length > fault.atByte
      default:
        return fault.kind === 'garbage'
    }
  }

  #strike(fault: Fault, piece: Piece): void {
    this.#struck = true
    this.#direction.spend()
    switch (fault.kind) {
      case 'cut':
        this.#take(fault.afterBytes - this.#carried)
        // What was written must leave before the reset, which throws away what has not.
        this.#to.write('', () => this.#owner.reset())
        this.#closed = true
        break
      case 'stall':
        this.#take(fault.afterBytes - this.#carried)
        break
      case 'flip': {
        const changed = Buffer.from(piece.bytes)
        const at = fault.atByte - this.#carried
        changed[at] = (changed[at] as number) ^ 0xff
        this.#queue[0] = { ...piece, bytes: changed }
        this.#take(changed.length)
        break
      }
      case 'garbage':
        this.#queue.shift()
        this.#to.write(fault.bytes ?? '?!garbage\r\n')
        break
    }
  }

  /** Forwards the next bytes. */
  #take(count: number): void {
    const piece = this.#queue[0]
    if (piece === undefined || count <= 0) return
    const bytes = piece.bytes.subarray(0, count)
    if (count >= piece.bytes.length) this.#queue.shift()
    else this.#queue[0] = { ...piece, bytes: piece.bytes.subarray(count) }
    this.#carried += bytes.length
    this.#to.write(bytes)
  }

  /** Another fault or the end of the connection ends the pause. */
  async #pause(ms: number): Promise<void> {
    const interrupted = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const abort = new AbortController()
    await Promise.race([
      interrupted,
      sleep(ms, undefined, { signal: abort.signal, ref: false }).catch(() => {}),
    ])
    abort.abort()
    this.#wake = undefined
  }
}
