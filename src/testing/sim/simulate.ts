import { invalidOption } from '../../kernel/options.ts'
import { invariantOf, minimize } from './minimize.ts'
import { MUTANT_NAMES, type MutantName } from './mutants.ts'
import type { Schedule } from './operations.ts'
import { type Ran, runSchedule } from './run-schedule.ts'
import { DEFAULT_RATES, type FaultRates, scheduleOf } from './schedule.ts'

export interface SimulateOptions {
  /** How many seeds, counted from `from`, or which ones. @default 1000 */
  seeds?: number | readonly number[]
  /** The first seed. @default 1 */
  from?: number
  /** Processes. @default 2 to 4, as the seed says */
  nodes?: number
  /** Operations of one schedule. @default 30 to 80, as the seed says */
  steps?: number
  /**
   * `false`: nothing ever fails. Rates: how often each kind of fault comes, beside 100 for all calls;
   * those left out stay as they are.
   * @default true
   */
  faults?: boolean | Partial<FaultRates>
  /** Leaves a part of the protocol out, to see that the simulation notices. */
  mutant?: MutantName
  /** Called after each seed. */
  onProgress?: (done: SimulationProgress) => void
}

export interface SimulationProgress {
  readonly done: number
  readonly seeds: number
  readonly operations: number
  readonly faults: number
  readonly violations: number
}

/** A promise that was broken, and how to see it again. */
export interface SimulationViolation {
  readonly seed: number
  /** `I1` to `I10`. */
  readonly invariant: string
  readonly message: string
  /** The shortest way there that was found, line by line: instants in milliseconds, and what happened. */
  readonly trace: readonly string[]
  /** The command that runs this seed again. */
  readonly replay: string
}

export interface SimulationReport {
  readonly seeds: number
  /** Schedules that were run, without those that made a trace shorter. */
  readonly schedules: number
  readonly operations: number
  readonly faults: number
  /** Events of the virtual time. */
  readonly events: number
  readonly violations: readonly SimulationViolation[]
}

/** More of them say nothing more. */
const MOST_TRACES = 3

/**
 * Whole caches over the protocol of the Redis level, in virtual time: processes that pause, crash and
 * lose their connections, a Redis that fails over, loses data, evicts, restarts. Everything that a
 * cache hands out is compared with what the database held. Same seed, same life, on every machine.
 *
 * ```ts
 * const report = await simulate({ seeds: 1000 })
 * expect(report.violations).toEqual([])
 * ```
 *
 * It never rejects because of what it finds: broken promises are in `violations`, each with a
 * shortest trace. Real time, files, sockets and Redis are not touched. One simulation at a time in a
 * process: rejections that nobody handles belong to the one that runs.
 * @throws ERR_INVALID_OPTION for a mutant that does not exist, or no seeds
 */
export async function simulate(options: SimulateOptions = {}): Promise<SimulationReport> {
  const { mutant, onProgress } = options
  if (mutant !== undefined && !MUTANT_NAMES.includes(mutant)) {
    throw invalidOption(`no mutant '${mutant}'; there are ${MUTANT_NAMES.join(', ')}`)
  }
  const seeds = seedsOf(options)
  const violations: SimulationViolation[] = []
  const sum = { operations: 0, faults: 0, events: 0 }
  for (const [at, seed] of seeds.entries()) {
    const schedule = scheduleOf(seed, {
      nodes: options.nodes,
      steps: options.steps,
      rates: ratesOf(options.faults),
    })
    const ran = await runSchedule(schedule, mutant)
    sum.operations += ran.operations
    sum.faults += ran.faults
    sum.events += ran.events
    if (ran.problems[0] !== undefined) {
      violations.push(await violationOf(schedule, mutant, ran, violations.length < MOST_TRACES))
    }
    const { operations, faults } = sum
    const progress = { done: at + 1, seeds: seeds.length, operations, faults }
    onProgress?.({ ...progress, violations: violations.length })
  }
  return { seeds: seeds.length, schedules: seeds.length, ...sum, violations }
}

function seedsOf({ seeds = 1000, from = 1 }: SimulateOptions): readonly number[] {
  const list = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => from + i) : seeds
  if (list.length > 0 && list.every(Number.isSafeInteger)) return list
  throw invalidOption('simulate({ seeds }) takes a number of seeds, or a list of whole numbers')
}

function ratesOf(faults: SimulateOptions['faults'] = true): FaultRates | undefined {
  if (typeof faults === 'object') return { ...DEFAULT_RATES, ...faults }
  return faults ? DEFAULT_RATES : undefined
}

async function violationOf(
  schedule: Schedule,
  mutant: MutantName | undefined,
  { problems }: Ran,
  isTraced: boolean,
): Promise<SimulationViolation> {
  const { seed } = schedule
  const message = problems[0] as string
  const invariant = invariantOf(message)
  const replay = `npm run test:sim -- --seed ${seed}${mutant ? ` --mutant ${mutant}` : ''}`
  if (!isTraced) return { seed, invariant, message, trace: [], replay }
  const shortest = await minimize(schedule, mutant, invariant)
  const { trace } = await runSchedule(shortest, mutant, true)
  const settings = JSON.stringify(schedule.settings)
  return { seed, invariant, message, trace: [settings, ...untilWrong(trace)], replay }
}

function untilWrong(trace: readonly string[]): readonly string[] {
  const at = trace.findIndex((line) => line.includes('WRONG'))
  return at < 0 ? trace : trace.slice(0, at + 1)
}
