import type { UpstreamName } from '../processes/upstreams.ts'

export interface PhaseResult {
  readonly name: string
  readonly requests: number
  readonly failed: number
  readonly upstreamCalls: Readonly<Record<UpstreamName, number>>
  readonly upstreamFailures: number
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** Shares of all look-ups, 0 to 1. Both 0 without the library. */
  readonly hitRate: { readonly l1: number; readonly l2: number }
  /** Look-ups answered by a stale value. */
  readonly staleServed: number
  readonly usd: number
}

export interface DemoResult {
  readonly seed: string
  readonly requests: number
  readonly concurrency: number
  readonly documents: number
  readonly durationMs: number
  /** Whether every answer was the one that the service gives without the library. */
  readonly identical: boolean
  readonly checkedAnswers: number
  readonly phases: readonly [PhaseResult, PhaseResult, PhaseResult]
}

/** The value that `share` of the sorted values do not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

export function totalCalls({ upstreamCalls }: PhaseResult): number {
  return Object.values(upstreamCalls).reduce((sum, calls) => sum + calls, 0)
}
