/** A place in a line. */
export interface Standing {
  readonly priority: number
  before?: Standing | undefined
  behind?: Standing | undefined
}

/**
 * Those who wait: higher priority first, and in the order of their arrival among equals. Leaving is as
 * cheap as arriving, wherever in the line one stands.
 */
export class WaitingLine<W extends Standing> {
  size = 0
  #first: Standing | undefined
  #last: Standing | undefined

  get first(): W | undefined {
    return this.#first as W | undefined
  }

  add(waiter: W): void {
    let before = this.#last
    while (before && before.priority < waiter.priority) before = before.before
    const behind = before ? before.behind : this.#first
    waiter.before = before
    waiter.behind = behind
    if (before) before.behind = waiter
    else this.#first = waiter
    if (behind) behind.before = waiter
    else this.#last = waiter
    this.size++
  }

  /** Once for each that was added. */
  remove(waiter: W): void {
    const { before, behind } = waiter
    if (before) before.behind = behind
    else this.#first = behind
    if (behind) behind.before = before
    else this.#last = before
    // What somebody holds on to must not hold on to all who stood beside it.
    waiter.before = undefined
    waiter.behind = undefined
    this.size--
  }
}
