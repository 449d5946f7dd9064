import { setImmediate as nextTurn } from 'node:timers/promises'

/** Something to be timed: does its operation so many times, and returns what keeps it from being optimised away. */
export interface Contender {
  readonly name: string
  run(count: number): unknown
}

export interface RoundSettings {
  /** Measured rounds. */
  readonly rounds: number
  /** About how long one contender runs in one round. */
  readonly sliceMs: number
}

/** Nanoseconds for one operation, by contender, in the order of the rounds. */
export type Timings = Record<string, number[]>

/** Compiling and optimising happens in the background, and takes about that long on a busy machine. */
const WARM_UP_MS = 400
/** For each measured round, how many may be thrown away because a neighbour took the core. */
const MOST_RETRIES = 4
/** With fewer undisturbed rounds than that, the disturbed ones have to do. */
const FEWEST_ROUNDS = 15

/**
 * Times contenders against one another. They take turns within a round, each round in another order,
 * so that what slows the machine down for a while slows all of them: the ratio of two of them within a
 * round is worth more than either time. A round in which the process was interrupted is thrown away.
 * Each contender has a loop of its own, written out where it is used: one shared loop would be
 * compiled for all of them and be fair to none.
 */
export async function timeInRounds(
  contenders: readonly Contender[],
  { rounds, sliceMs }: RoundSettings,
): Promise<Timings> {
  const counts: number[] = []
  for (const contender of contenders) counts.push(await warmUp(contender, sliceMs))
  const clean: number[][] = []
  const disturbed: number[][] = []
  for (let round = 0; clean.length < rounds && round < rounds * MOST_RETRIES; round++) {
    const row: number[] = []
    const interruptions = countInterruptions()
    for (let turn = 0; turn < contenders.length; turn++) {
      const place = (turn + round) % contenders.length
      row[place] = await time(contenders[place] as Contender, counts[place] as number)
      // Timers and the coarse clocks of both sides get their turn, as they do in a service.
      await nextTurn()
    }
    ;(countInterruptions() === interruptions ? clean : disturbed).push(row)
  }
  const rows = clean.length >= FEWEST_ROUNDS ? clean : [...clean, ...disturbed]
  return Object.fromEntries(
    contenders.map(({ name }, place) => [name, rows.map((row) => row[place] as number)]),
  )
}

/** Round by round, how many times as long `subject` takes as `reference`. */
export function ratios(timings: Timings, subject: string, reference: string): number[] {
  const divisors = timings[reference] ?? []
  return (timings[subject] ?? []).map((ns, round) => ns / (divisors[round] as number))
}

/** Takes what the loops return, so that none is optimised away. */
const sink: { last: unknown } = { last: undefined }

async function time(contender: Contender, count: number): Promise<number> {
  const start = performance.now()
  sink.last = await contender.run(count)
  return ((performance.now() - start) * 1e6) / count
}

function countInterruptions(): number {
  return process.resourceUsage().involuntaryContextSwitches
}

/**
 * @returns how many operations fill a slice once the code is compiled. The fastest try counts: one
 * that was interrupted would leave a slice so short that the loop around the operation is all it
 * measures
 */
async function warmUp(contender: Contender, sliceMs: number): Promise<number> {
  const until = performance.now() + WARM_UP_MS
  let fastest = Number.POSITIVE_INFINITY
  let count = 16
  while (performance.now() < until) {
    fastest = Math.min(fastest, await time(contender, count))
    count = Math.max(1, Math.ceil((sliceMs * 1e6) / fastest))
    await nextTurn()
  }
  return count
}
