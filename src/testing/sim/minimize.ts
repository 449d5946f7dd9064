import type { MutantName } from './mutants.ts'
import type { Operation, Schedule } from './operations.ts'
import { runSchedule } from './run-schedule.ts'

/** More runs than this make a trace hardly any shorter. */
const MOST_RUNS = 400

/** Its first letters say which promise was broken. */
export function invariantOf(problem: string): string {
  return /^I\d+/.exec(problem)?.[0] ?? 'I8'
}

/**
 * The schedule without what it does not need to break the same promise: ever smaller pieces are left
 * out as long as it still fails.
 */
export async function minimize(
  schedule: Schedule,
  mutant: MutantName | undefined,
  invariant: string,
): Promise<Schedule> {
  let runs = 0
  const fails = async (operations: readonly Operation[]): Promise<boolean> => {
    if (++runs > MOST_RUNS) return false
    const { problems } = await runSchedule({ ...schedule, operations }, mutant)
    return problems[0] !== undefined && invariantOf(problems[0]) === invariant
  }
  let kept = schedule.operations
  for (let size = kept.length >> 1; size > 1; size >>= 1) {
    kept = await withoutPieces(kept, size, fails)
  }
  // What could not be left out alone may be when another one is.
  for (let before = 0; before !== kept.length; ) {
    before = kept.length
    kept = await withoutPieces(kept, 1, fails)
  }
  return { ...schedule, operations: kept }
}

async function withoutPieces(
  operations: readonly Operation[],
  size: number,
  fails: (operations: readonly Operation[]) => Promise<boolean>,
): Promise<readonly Operation[]> {
  let kept = operations
  for (let from = 0; from < kept.length; ) {
    const fewer = [...kept.slice(0, from), ...kept.slice(from + size)]
    if (await fails(fewer)) kept = fewer
    else from += size
  }
  return kept
}
