import type { Permit } from '../../contracts/permit.ts'
import type { Cost } from '../../contracts/runner.ts'
import type { Costs } from './cost-plan.ts'

/** Takes back what a permit held. */
export interface PermitGiver {
  giveBack(costs: Costs, since: number, actual?: Cost): void
}

/** What one call holds, until it is given back. */
export class HeldPermit implements Permit {
  readonly ok = true
  readonly #giver: PermitGiver
  readonly #since: number
  #costs: Costs | undefined

  constructor(giver: PermitGiver, costs: Costs, since: number) {
    this.#giver = giver
    this.#costs = costs
    this.#since = since
  }

  settle(actual?: Cost): void {
    const costs = this.#costs
    if (costs === undefined) return
    this.#costs = undefined
    this.#giver.giveBack(costs, this.#since, actual)
  }

  release(): void {
    this.settle()
  }

  [Symbol.dispose](): void {
    this.settle()
  }
}
