/** The calls by which a half-open breaker decides. */
export class ProbeRound {
  readonly #probes: number
  readonly #needed: number
  #inFlight = 0
  #succeeded = 0
  #failed = 0

  /** @param needed how many of the probes have to succeed */
  constructor(probes: number, needed: number) {
    this.#probes = probes
    this.#needed = needed
  }

  /** Whether one more call may find out. */
  get hasRoom(): boolean {
    return this.#inFlight + this.#succeeded + this.#failed < this.#probes
  }

  began(): void {
    this.#inFlight++
  }

  /** It says nothing: another may take its place. */
  dropped(): void {
    this.#inFlight--
  }

  /** @returns the verdict, as soon as the probes in flight cannot change it */
  ended(isSuccess: boolean): 'close' | 'open' | undefined {
    this.#inFlight--
    if (isSuccess) this.#succeeded++
    else this.#failed++
    if (this.#succeeded >= this.#needed) return 'close'
    return this.#failed > this.#probes - this.#needed ? 'open' : undefined
  }
}
