import type { Breakpoint, Plan, PrefixWarning } from '../../src/llm.ts'
import { type Bill, dollars, Ledger, type Way, whole } from './ledger.ts'
import type { WatchedPlanner } from './watched-planner.ts'

/** What a table is told of a call. */
export interface Call {
  readonly name: string
  readonly way: Way
  readonly bill: Bill
  /** As it was asked: with it the plan is found. */
  readonly request: object
  /** Of an answer from the cache. */
  readonly ageMs?: number
  /** Why the answer was not stored. */
  readonly skipped?: string | undefined
}

const WIDTH = 80
const INDENT = 5

/** Why a marker was set there. */
const REASONS: Readonly<Record<Breakpoint['reason'], string>> = {
  static: 'what all requests share',
  divergence: 'what requests share before they part',
  known: 'what was cached before',
  tail: 'up to here, for the next turn',
  client: 'as the request says',
  hint: 'as the hint says',
}

/** Prints one call after the other, what it cost and why; the sums are in its ledger. */
export class CallTable {
  readonly ledger = new Ledger()
  readonly #planner: WatchedPlanner
  readonly #now: () => number
  #entryUntil = 0
  #lastWhy = ''
  readonly #warned = new Set<string>()

  constructor(planner: WatchedPlanner, now: () => number) {
    this.#planner = planner
    this.#now = now
  }

  section(title: string): void {
    console.log(`\n${title}`)
    const columns = ['uncached', 'read', 'write', 'output', 'spent', 'without']
    console.log(row('', '', columns))
    this.#lastWhy = ''
  }

  /** Time goes by: what comes next is told in full. */
  pause(text: string): void {
    console.log(`  … ${text}`)
    this.#lastWhy = ''
  }

  print(call: Call): void {
    const { name, way, bill, request, skipped } = call
    this.ledger.add(way, bill)
    const isAsked = way === 'L3 hit' || way === 'miss'
    const { uncached, read, write, output, spent, without } = bill
    const tokens = isAsked ? [uncached, read, write, output].map(whole) : ['', '', '', '']
    console.log(row(name, way, [...tokens, dollars(spent), dollars(without)]))
    const plan = isAsked ? this.#planner.planOf(request) : undefined
    const why = this.#whyOf(call, plan)
    // The same reason ten times over says nothing new.
    if (why !== this.#lastWhy) note(why)
    this.#lastWhy = why
    if (skipped !== undefined) note(`not stored: ${skipped}`)
    for (const warning of plan?.warnings ?? []) this.#warn(warning)
    if (read + write > 0) this.#learn(bill)
  }

  /** In full at the first time. */
  #warn({ code, path, sample, fix }: PrefixWarning): void {
    const name = `WARNING ${code} at ${path}${sample ? ` (${sample})` : ''}`
    note(this.#warned.has(name) ? name : `${name}: ${fix}`)
    this.#warned.add(name)
  }

  #whyOf({ way, bill, ageMs = 0 }: Call, plan: Plan<unknown> | undefined): string {
    const { read, write } = bill
    switch (way) {
      case 'joined':
        return 'somebody was just asking the same: one call for both'
      case 'replay':
        return 'a recording of the stream'
      case 'L1 hit':
        return `answered ${ago(ageMs)}, and kept in this process`
      case 'L2 hit':
        return `answered ${ago(ageMs)}, by another process`
      default: {
        const found = read > 0 ? 'what it begins with was cached' : this.#whyNothing(plan)
        return write > 0 ? `${found}; written ${purposeOf(bill, plan)}` : found
      }
    }
  }

  #whyNothing(plan: Plan<unknown> | undefined): string {
    if (this.#entryUntil === 0) return 'nothing is cached yet'
    if (this.#entryUntil <= this.#now()) return 'what was cached has expired'
    return (plan?.expected.read ?? 0) > 0 ? 'what was cached is gone' : 'it begins as no other does'
  }

  #learn({ lifetimes }: Bill): void {
    const ms = lifetimes.includes('1h') ? 3_600_000 : 300_000
    this.#entryUntil = Math.max(this.#entryUntil, this.#now() + ms)
  }
}

function purposeOf({ lifetimes }: Bill, plan: Plan<unknown> | undefined): string {
  const deepest = plan?.breakpoints.at(-1)
  const reason = deepest ? `: ${REASONS[deepest.reason]}` : ''
  return `for ${lifetimes.join(' and ')}${reason}`
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 1) return 'a moment ago'
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`
}

function row(name: string, way: string, columns: readonly string[]): string {
  const widths = [9, 7, 7, 7, 10, 10]
  const cells = columns.map((cell, at) => cell.padStart(widths[at] as number))
  return `  ${name.padEnd(18)} ${way.padEnd(7)}${cells.join('')}`.trimEnd()
}

/** Under the call it belongs to, within the width of a terminal. */
function note(text: string): void {
  let line = ' '.repeat(INDENT)
  for (const word of text.split(' ')) {
    if (line.length + word.length >= WIDTH) {
      console.log(line.trimEnd())
      line = ' '.repeat(INDENT)
    }
    line += `${word} `
  }
  console.log(line.trimEnd())
}
