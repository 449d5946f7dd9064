import type { Source } from '../../read-path/outcome.ts'
import type { Cell } from './cells.ts'
import type { Operation } from './operations.ts'
import type { Value } from './sim-history.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What happened, line by line for a reader, where somebody wants to know; and what went wrong. */
export class Trace {
  readonly lines: string[] = []
  /** In the order in which they were found. */
  readonly problems: string[] = []
  readonly #isWritten: boolean
  readonly #time: VirtualTime

  constructor(time: VirtualTime, isWritten: boolean) {
    this.#time = time
    this.#isWritten = isWritten
  }

  problem(message: string): void {
    this.problems.push(message)
    this.#write(`WRONG ${message}`)
  }

  operation({ at: _, type, ...details }: Operation): void {
    if (!this.#isWritten) return
    const shown = Object.entries(details).map(([name, value]) => `${name} ${shorten(value)}`)
    this.#write([type, ...shown].join(', '))
  }

  answer(
    process: number,
    cell: Cell,
    startedAt: number,
    value: Value | undefined,
    source: Source | undefined,
  ): void {
    if (!this.#isWritten) return
    const what = value === undefined ? 'nothing' : `version ${value.version} (#${value.id})`
    const asked = startedAt.toFixed(1)
    this.#write(
      `  process ${process} got ${what} of cell ${cell} from ${source ?? '?'}, asked at ${asked}`,
    )
  }

  failure(process: number, cell: Cell, error: unknown): void {
    if (!this.#isWritten) return
    this.#write(`  process ${process} got no value of cell ${cell}: ${error}`)
  }

  told(process: number, calledAt: number, isDurable: boolean): void {
    if (!this.#isWritten) return
    const durable = isDurable ? 'durable' : 'not durable'
    this.#write(`  process ${process}: what it invalidated at ${calledAt.toFixed(1)} is ${durable}`)
  }

  note(line: string): void {
    this.#write(line)
  }

  #write(line: string): void {
    if (this.#isWritten) this.lines.push(`${this.#time.now.toFixed(1).padStart(9)}  ${line}`)
  }
}

function shorten(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(1) : String(value)
}
