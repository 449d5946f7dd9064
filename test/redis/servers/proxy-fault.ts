/** What the proxy does with the bytes that go in one direction. */
export type Fault =
  | { readonly kind: 'pass' }
  /**
   * Takes everything and forwards nothing, not even the end of a connection. What was held comes
   * through after the fault, as from a network that heals.
   */
  | { readonly kind: 'black-hole' }
  /** Each piece arrives that much later, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** A few bytes at a time. Defaults: 1 byte every 1 ms. */
  | { readonly kind: 'dribble'; readonly bytes?: number; readonly everyMs?: number }
  /** Resets both sides after that many bytes of a connection. */
  | ({ readonly kind: 'cut'; readonly afterBytes: number } & Limited)
  /** A black hole after that many bytes of a connection. */
  | ({ readonly kind: 'stall'; readonly afterBytes: number } & Limited)
  /** Other bytes instead of the next piece. Default: '?!garbage' and a line end. */
  | ({ readonly kind: 'garbage'; readonly bytes?: string | Buffer } & Limited)
  /** Inverts one byte, the first is 0. */
  | ({ readonly kind: 'flip'; readonly atByte: number } & Limited)
  /** Stops reading: the buffers of the sender fill. */
  | { readonly kind: 'pause' }

interface Limited {
  /** To how many connections it happens before the proxy passes again. Default: 1. */
  readonly times?: number
}

/** One direction of all connections. Bytes are counted per connection since the fault was set. */
export class Direction {
  #fault: Fault = { kind: 'pass' }
  #left = 0
  generation = 0

  get fault(): Fault {
    return this.#fault
  }

  set(fault: Fault): void {
    this.#fault = fault
    this.#left = 'times' in fault ? (fault.times ?? 1) : 1
    this.generation += 1
  }

  /** Whether the fault may still happen to one more connection. */
  get armed(): boolean {
    return this.#left > 0
  }

  spend(): void {
    this.#left -= 1
  }
}
