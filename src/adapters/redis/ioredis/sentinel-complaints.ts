import { ResilienceError } from '../../../kernel/errors.ts'
import type { Endpoint } from './discovery.ts'
import { causeOf, remedyOf } from './failure-cause.ts'
import { textOf, type Verdict } from './sentinel-ballot.ts'

/** While a failover spreads, some sentinels are behind for a moment: that is not worth a word. */
const ROUNDS_APART = 3

/** Tells what is wrong with the sentinels, each thing once until it is right again. */
export class SentinelComplaints {
  readonly #sentinels: readonly Endpoint[]
  readonly #tell: (error: Error) => void
  readonly #told = new Set<string>()
  readonly #apart = new Map<string, number>()
  readonly #latest = new Map<string, Endpoint | undefined>()

  constructor(sentinels: readonly Endpoint[], tell: (error: Error) => void) {
    this.#sentinels = sentinels
    this.#tell = tell
  }

  answered(sentinel: Endpoint, address: Endpoint | undefined): void {
    const text = textOf(sentinel)
    this.#told.delete(`unreachable ${text}`)
    this.#latest.set(text, address)
  }

  failed(sentinel: Endpoint, error: unknown): void {
    const text = textOf(sentinel)
    this.#latest.delete(text)
    const cause = causeOf(error)
    const remedy = remedyOf([cause]) ?? 'check that it runs there'
    this.#once(
      `unreachable ${text}`,
      `Sentinel ${text} cannot be used (${cause}): ${remedy}.`,
      error,
    )
  }

  /** A round is over: whether the sentinels agree. */
  complete({ majority, answers, unknown }: Verdict, masterName: string): void {
    const voters = this.#sentinels.length
    this.#when(answers > 0 && unknown === answers, 'unknown name', unknownName(masterName))
    this.#when(
      !majority && answers > unknown && answers * 2 <= voters,
      'few',
      `Only ${answers} of ${voters} sentinels answer: their word is taken, but a minority may be ` +
        'wrong. Bring the others back.',
    )
    if (majority) for (const sentinel of this.#sentinels) this.#compare(sentinel, majority)
  }

  #compare(sentinel: Endpoint, majority: Endpoint): void {
    const text = textOf(sentinel)
    const address = this.#latest.get(text)
    const isApart = address !== undefined && textOf(address) !== textOf(majority)
    const rounds = isApart ? (this.#apart.get(text) ?? 0) + 1 : 0
    this.#apart.set(text, rounds)
    this.#when(
      rounds >= ROUNDS_APART,
      `apart ${text}`,
      `Sentinel ${text} names another master than the majority and is not listened to: check ` +
        'that it can reach the other sentinels, then send it SENTINEL RESET.',
    )
  }

  #when(isWrong: boolean, what: string, message: string): void {
    if (isWrong) this.#once(what, message)
    else this.#told.delete(what)
  }

  #once(what: string, message: string, cause?: unknown): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    this.#tell(new ResilienceError('ERR_L2_UNAVAILABLE', message, cause ? { cause } : {}))
  }
}

export function unknownName(masterName: string): string {
  return (
    `No sentinel knows a master named '${masterName}': set masterName to a name that ` +
    'SENTINEL MASTERS lists.'
  )
}
