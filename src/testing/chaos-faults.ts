import type { Clock } from '../contracts/clock.ts'
import type { ReadReply, StoredRecord } from '../contracts/store.ts'
import { type Duration, toMs } from '../kernel/duration.ts'
import { checkNumber } from '../kernel/options.ts'
import { seededRandom } from '../kernel/seeded-random.ts'

/** The faults of a chaos store, in the order in which they are drawn. */
export const FAULTS = ['throws', 'hangs', 'late', 'corrupts'] as const

export type ChaosFault = (typeof FAULTS)[number]

/** Shares of the operations, from 0 to 1. */
export type ChaosRates = { readonly [fault in ChaosFault]: number }

/** What may be changed while a chaos store is in use. */
export interface ChaosSettings {
  /** Share of the operations that reject with an `Error` and have no effect. @default 0 */
  throws?: number
  /** Share of the operations that never settle and have no effect. @default 0 */
  hangs?: number
  /** Share that have their effect at once and settle after 3 × the store's `timeoutMs`. @default 0 */
  late?: number
  /** Share of the reads in whose reply one record has a changed byte or lacks its end. @default 0 */
  corrupts?: number
  /** Time every operation takes before anything else happens, on the cache's clock. @default 0 */
  delay?: Duration
}

export interface ChosenFaults {
  readonly rates: ChaosRates
  readonly delayMs: number
}

export const NO_FAULTS: ChosenFaults = {
  rates: Object.freeze({ throws: 0, hangs: 0, late: 0, corrupts: 0 }),
  delayMs: 0,
}

/** The present faults with the given ones changed; what is not named stays. */
export function chooseFaults(
  present: ChosenFaults,
  { delay, ...changes }: ChaosSettings,
  where: string,
): ChosenFaults {
  const rates: { [fault in ChaosFault]: number } = { ...present.rates }
  for (const fault of FAULTS) {
    checkNumber(changes[fault], `${fault} of ${where}`, 0, 1)
    rates[fault] = changes[fault] ?? rates[fault]
  }
  return {
    rates: Object.freeze(rates),
    delayMs: delay === undefined ? present.delayMs : toMs(delay, `delay of ${where}`),
  }
}

/** One number decides: the rates lie side by side on [0, 1), what is left over is no fault. */
export function faultOf(draw: number, rates: ChaosRates): ChaosFault | undefined {
  let end = 0
  for (const fault of FAULTS) {
    end += rates[fault]
    if (draw < end) return fault
  }
  return undefined
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms)
  })
}

/** The reply with one record damaged, or `undefined` where it has none. The store's bytes stay whole. */
export function corrupted(reply: ReadReply, draw: number): ReadReply | undefined {
  // A generator of its own: the one of the store is drawn from once per operation, whatever happens.
  const random = seededRandom(Math.floor(draw * 2 ** 32))
  const present = reply.records.flatMap((record, at) => (record ? [at] : []))
  const victim = present[Math.floor(random() * present.length)]
  if (victim === undefined) return undefined
  const records = reply.records.map((record, at) =>
    at === victim && record ? damaged(record, random) : record,
  )
  return { ...reply, records }
}

function damaged({ bytes, version }: StoredRecord, random: () => number): StoredRecord {
  if (bytes.length === 0) return { bytes: new Uint8Array([1]), version }
  const at = Math.floor(random() * bytes.length)
  if (random() < 0.5) return { bytes: bytes.slice(0, at), version }
  const copy = bytes.slice()
  copy[at] = (copy[at] as number) ^ (1 + Math.floor(random() * 255))
  return { bytes: copy, version }
}
