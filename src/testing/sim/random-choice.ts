/** Choices from a seeded generator. */
export class Chance {
  readonly random: () => number

  constructor(random: () => number) {
    this.random = random
  }

  of<T>(...choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T
  }

  upTo(count: number): number {
    return Math.floor(this.random() * count)
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.random()
  }

  with(share: number): boolean {
    return this.random() < share
  }

  weighted<T>(choices: ReadonlyArray<readonly [number, T]>): T {
    const sum = choices.reduce((total, [weight]) => total + weight, 0)
    let left = this.random() * sum
    for (const [weight, choice] of choices) {
      left -= weight
      if (left < 0) return choice
    }
    return (choices.at(-1) as readonly [number, T])[1]
  }
}
