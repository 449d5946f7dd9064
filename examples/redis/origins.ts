import { setTimeout as sleep } from 'node:timers/promises'
import type { Truth } from './truth.ts'

/** What an origin answers: which state of the thing it saw. */
export interface Answer {
  readonly id: string
  readonly version: number
}

/** The three upstreams of the service: what a call takes, and what it costs. */
export const UPSTREAMS = {
  partner: { ms: 20, dollars: 0.001 },
  invoice: { ms: 30, dollars: 0.002 },
  summary: { ms: 40, dollars: 0.01 },
} as const
export type Upstream = keyof typeof UPSTREAMS
export const NAMES = Object.keys(UPSTREAMS) as Upstream[]

/** The upstreams, with a bill. */
export class Origins {
  calls = 0
  dollars = 0
  readonly #truth: Truth

  constructor(truth: Truth) {
    this.#truth = truth
  }

  async call(upstream: Upstream, id: string): Promise<Answer> {
    const { ms, dollars } = UPSTREAMS[upstream]
    this.calls++
    this.dollars += dollars
    const answer = { id, version: this.#truth.version(thingOf(upstream, id)) }
    await sleep(ms)
    return answer
  }
}

export function thingOf(upstream: Upstream, id: string): string {
  return `${upstream} ${id}`
}
