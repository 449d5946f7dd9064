import { normalizeUsage, priceUsage } from '../../src/llm.ts'

/** How a call was answered; the first four cost nothing. */
export type Way = 'L1 hit' | 'L2 hit' | 'joined' | 'replay' | 'L3 hit' | 'miss'

/** One answer, in tokens and dollars. */
export interface Bill {
  readonly uncached: number
  readonly read: number
  readonly write: number
  readonly output: number
  /** Of what was written. */
  readonly lifetimes: readonly string[]
  /** `undefined`: the price of the model is not known. */
  readonly spent: number | undefined
  /** Without this library: asked each time, nothing marked. */
  readonly without: number | undefined
}

/** What an answer is billed for; from the cache: nothing, for it was paid before. */
export function billOf(answer: unknown, isPaid: boolean): Bill {
  const usage = normalizeUsage('anthropic', answer)
  if (!usage) throw new Error('this answer has no usage')
  const price = priceUsage(usage)
  const isKnown = 'actual' in price
  const without = isKnown ? price.counterfactual : undefined
  const { cacheWrite } = usage
  if (isPaid) return { uncached: 0, read: 0, write: 0, output: 0, lifetimes: [], spent: 0, without }
  return {
    uncached: usage.inputUncached,
    read: usage.cacheRead,
    write: Object.values(cacheWrite).reduce((sum, tokens) => sum + tokens, 0),
    output: usage.output,
    lifetimes: Object.keys(cacheWrite),
    spent: isKnown ? price.actual : undefined,
    without,
  }
}

/** The sums of an example. */
export class Ledger {
  readonly #ways = new Map<Way, number>()
  readonly #tokens = { uncached: 0, read: 0, write: 0, output: 0 }
  #spent = 0
  #without = 0
  #unknown = 0

  add(way: Way, bill: Bill): void {
    this.#ways.set(way, this.count(way) + 1)
    for (const name of ['uncached', 'read', 'write', 'output'] as const) {
      this.#tokens[name] += bill[name]
    }
    if (bill.spent === undefined || bill.without === undefined) this.#unknown++
    this.#spent += bill.spent ?? 0
    this.#without += bill.without ?? 0
  }

  count(...ways: Way[]): number {
    return ways.reduce((sum, way) => sum + (this.#ways.get(way) ?? 0), 0)
  }

  summary(): string[] {
    const asked = this.count('L3 hit', 'miss')
    const ways = [...this.#ways].map(([way, count]) => `${way} ${count}`).join(', ')
    const { uncached, read, write, output } = this.#tokens
    const input = uncached + read + write
    const share = this.#without === 0 ? 0 : 1 - this.#spent / this.#without
    const readShare = input === 0 ? 0 : read / input
    return [
      `calls          ${asked + this.count('L1 hit', 'L2 hit', 'joined', 'replay')}: ${ways}`,
      `the provider   was asked ${asked} times`,
      `input tokens   ${whole(input)}: ${whole(uncached)} uncached, ${whole(read)} read, ${whole(write)} written`,
      `               ${percent(readShare)} of them came out of the provider's cache`,
      `output tokens  ${whole(output)}`,
      `spent          ${dollars(this.#spent)}`,
      `without        ${dollars(this.#without)}: the same calls, all asked, nothing cached`,
      `${share >= 0 ? 'saved          ' : 'lost           '}${percent(Math.abs(share))}`,
      ...(this.#unknown > 0 ? [`unknown price  ${this.#unknown} calls are in no sum`] : []),
    ]
  }
}

export function whole(count: number): string {
  return count.toLocaleString('en-US')
}

export function dollars(sum: number | undefined): string {
  return sum === undefined ? 'unknown' : `$${sum.toFixed(4)}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
