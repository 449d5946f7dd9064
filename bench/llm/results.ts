import type { ColdBurst } from './cold-burst.ts'
import type { HitLatency } from './hit-latency.ts'
import type { PlanningTime } from './planning-time.ts'
import type { RandomScore } from './random-scores.ts'
import type { Replay } from './replay.ts'
import type { RepeatedCall, TraceHits } from './response-cache.ts'

/** One workload under all strategies. */
export interface WorkloadResult {
  readonly workload: string
  readonly requests: number
  /** In tokens of input, like the costs below. */
  readonly none: number
  readonly bound: number
  readonly noneDollars: { readonly input: number; readonly total: number }
  readonly strategies: readonly (Replay & { readonly strategy: string; readonly score: number })[]
}

export interface Results {
  readonly workloads: readonly WorkloadResult[]
  readonly random: readonly RandomScore[]
  readonly planning: readonly PlanningTime[]
  readonly repeated: RepeatedCall
  readonly trace: TraceHits
  readonly hits: readonly HitLatency[]
  readonly burst: { readonly gated: ColdBurst; readonly ungated: ColdBurst; readonly none: number }
}

/** Something that was promised, and what came of it. */
export interface Promised {
  readonly promise: string
  readonly measured: string
  readonly kept: boolean
}

const PLANNER = 'planner'

/** Everything that must hold; each line says what was measured, kept or not. */
export function promisesOf(results: Results): Promised[] {
  const { random, planning, repeated, trace, burst } = results
  const ours = random.find(({ strategy }) => strategy === PLANNER) as RandomScore
  const known = planning[0] as PlanningTime
  return [
    ...results.workloads.map(scorePromise),
    disputePromise(results.workloads),
    {
      promise: 'random workloads: mean R at least 0.9',
      measured: ours.meanScore.toFixed(3),
      kept: ours.meanScore >= 0.9,
    },
    {
      promise: 'random workloads: from the sixth request at most 2 % above no caching',
      measured: `${percent(ours.worstExcess)} (seed ${ours.worstExcessSeed}), ${ours.over2Percent} above`,
      kept: ours.over2Percent === 0,
    },
    {
      promise: 'planning 100 blocks: at most 200 µs',
      measured: `${known.meanUs.toFixed(0)} µs`,
      kept: known.meanUs <= 200,
    },
    {
      promise: 'three equal calls: 1 upstream, a third of the cost',
      measured: `${repeated.upstreamCalls} upstream, ${(repeated.dollars / repeated.dollarsWithout).toFixed(4)}`,
      // Sums of the same three numbers: nothing is rounded differently.
      kept: repeated.upstreamCalls === 1 && repeated.dollars * 3 === repeated.dollarsWithout,
    },
    {
      promise: 'trace with 40 % repeats: hits are those of the oracle',
      measured: `${trace.hits} of ${trace.expectedHits}`,
      kept:
        trace.hits === trace.expectedHits &&
        trace.upstreamCalls === trace.calls - trace.expectedHits,
    },
    {
      promise: '50 cold calls: 1 write with the gate, 50 without',
      measured: `${burst.gated.writes} and ${burst.ungated.writes}`,
      kept: burst.gated.writes === 1 && burst.ungated.writes === 50,
    },
  ]
}

function scorePromise({ workload, strategies }: WorkloadResult): Promised {
  const score = strategies.find(({ strategy }) => strategy === PLANNER)?.score ?? Number.NaN
  return {
    promise: `${workload}: R at least 0.97`,
    measured: score.toFixed(3),
    kept: score >= 0.97,
  }
}

function disputePromise(workloads: readonly WorkloadResult[]): Promised {
  const disputed = workloads.flatMap(({ strategies }) =>
    strategies.map((replay) => replay.disputed),
  )
  const count = disputed.reduce((sum, calls) => sum + calls, 0)
  return {
    promise: 'provider and oracle bill every call alike',
    measured: `${count} calls differ`,
    kept: count === 0,
  }
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
