import { setImmediate as nextTurn } from 'node:timers/promises'

/** Something to be timed: does its operation so many times, and returns what keeps it from being optimised away. */
export interface Contender {
  readonly name: string
  run(count: number): unknown
}

/** Compiling and optimising happens in the background and takes about that long. */
const WARM_UP_SLICES = 60

export interface RoundSettings {
  /** Measured rounds; a third as many come before them as warm-up. */
  readonly rounds: number
  /** About how long one contender runs in one round. Short: a neighbour then spoils one sample only. */
  readonly sliceMs: number
}

/** Nanoseconds of CPU time for one operation, by contender, in the order of the rounds. */
export type Timings = Record<string, number[]>

/**
 * Times contenders against one another. They take turns within a round, each round in another order,
 * so that what slows the machine down for a while slows all of them: the ratio of two of them within a
 * round is worth more than either time. Each contender has a loop of its own, written out where it is
 * used: one shared loop would be compiled for all of them and be fair to none.
 */
export async function timeInRounds(
  contenders: readonly Contender[],
  { rounds, sliceMs }: RoundSettings,
): Promise<Timings> {
  const timings: Timings = {}
  const counts: number[] = []
  for (const contender of contenders) {
    timings[contender.name] = []
    counts.push(await countFor(contender, sliceMs))
  }
  const warmUp = Math.ceil(rounds / 3)
  for (let round = 0; round < warmUp + rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const place = (turn + round) % contenders.length
      const contender = contenders[place] as Contender
      const count = counts[place] as number
      const ns = await time(contender, count)
      if (round >= warmUp) timings[contender.name]?.push(ns)
      // Timers and the coarse clocks of both sides get their turn, as they do in a service.
      await nextTurn()
    }
  }
  return timings
}

/** Round by round, how many times as long `subject` takes as `reference`. */
export function ratios(timings: Timings, subject: string, reference: string): number[] {
  const divisors = timings[reference] ?? []
  return (timings[subject] ?? []).map((ns, round) => ns / (divisors[round] as number))
}

let sink: unknown

async function time(contender: Contender, count: number): Promise<number> {
  const start = cpuMicroseconds()
  sink = await contender.run(count)
  return ((cpuMicroseconds() - start) * 1000) / count
}

/** Of this thread alone, so that a neighbour who takes the core away is not counted. */
function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/**
 * How many operations fill a slice once the code is compiled. The fastest try counts: one that was
 * interrupted would leave a slice so short that the loop around the operation is all it measures.
 */
async function countFor(contender: Contender, sliceMs: number): Promise<number> {
  const until = performance.now() + WARM_UP_SLICES * sliceMs
  let fastest = Number.POSITIVE_INFINITY
  let count = 16
  while (performance.now() < until) {
    fastest = Math.min(fastest, await time(contender, count))
    count = Math.max(1, Math.ceil((sliceMs * 1e6) / fastest))
    await nextTurn()
  }
  return count
}

/** What the last loop returned, so that no loop is optimised away. */
export function lastResult(): unknown {
  return sink
}
