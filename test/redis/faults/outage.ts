import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import { addsNothing, holdsInvariants, ms, recovers, shown } from './invariants.ts'
import type { Read, Rig, StateChange } from './rig.ts'

/** Deadline of L2, by default. */
const DEADLINE_MS = 50
/**
 * A read waits for L2 once, but may have waited for the load of another node before that. Then its
 * origin, and timers that are late.
 */
export const BOUND_MS = 2 * DEADLINE_MS + 25

export interface OutageParts {
  /** Makes the fault. */
  begin(): Promise<unknown> | unknown
  /** Default: 1,500. */
  readonly lastsMs?: number
  /** Ends it. May return the instant at which L2 could be used again; else that is when it resolves. */
  heal(): Promise<number | unknown> | number | unknown
  /** L2 has to be used again so soon after that. */
  readonly usableMs: number
  /** For a look while it lasts. */
  during?(): void
  readonly boundMs?: number
  /** Whether L2 loses what it holds. */
  readonly generations?: number
  /** Whether L2 is away while it lasts. Default: true. */
  readonly isLost?: boolean
  readonly changesPerSecond?: number
}

export interface Outcome {
  readonly brokeAt: number
  readonly healedAt: number
  /** Of the node that took longest, from healing on. */
  readonly usableMs: number
  /** While it lasted. */
  readonly reads: readonly Read[]
  readonly states: readonly StateChange[]
  readonly line: string
}

/**
 * The usual course of a fault, under load throughout: hits, the fault, its end, hits again. With the
 * invariants of the whole history.
 */
export async function outage(rig: Rig, parts: OutageParts): Promise<Outcome> {
  const { lastsMs = 1_500, boundMs = BOUND_MS, generations = 0, changesPerSecond = 4 } = parts
  const { isLost = true } = parts
  let brokeAt = 0
  let brokenAt = 0
  let endsAt = 0
  let healedAt = 0
  await rig.untilUsable()
  await rig.fill()
  const all = await rig.load({
    changesPerSecond,
    while: async () => {
      await sleep(300)
      brokeAt = performance.now()
      await parts.begin()
      brokenAt = performance.now()
      await sleep(lastsMs)
      parts.during?.()
      endsAt = performance.now()
      const at = await parts.heal()
      healedAt = typeof at === 'number' ? at : performance.now()
      await rig.untilUsable(parts.usableMs + 5_000)
    },
  })
  const to = performance.now()
  const usableMs = Math.max(...rig.nodes.map((_, node) => usableSince(rig, healedAt, node)))
  expect(usableMs, 'used again').toBeLessThan(parts.usableMs + rig.lag(healedAt, to))
  const ratio = await recovers(rig, healedAt)
  holdsInvariants(rig, { boundMs, outages: [{ from: brokeAt, to }], generations })
  const reads = all.filter(({ start }) => start >= brokenAt && start < endsAt)
  const states = rig.states.filter(({ at }) => at >= brokeAt)
  const lost = isLost ? `${shown(addsNothing(away(rig, reads, brokeAt)))}, ` : ''
  const line = `${lost}usable ${ms(usableMs)} after its end, then ${Math.round(ratio * 100)} % hits`
  return { brokeAt, healedAt, usableMs, reads, states, line }
}

/** Reads that began when their node knew that L2 is away. */
function away(rig: Rig, reads: readonly Read[], since: number): Read[] {
  const knownAt = rig.nodes.map(
    (_, node) =>
      rig.states.find(
        (state) =>
          state.node === node &&
          state.at >= since &&
          (state.health.state === 'down' || state.health.breaker.read !== 'closed'),
      )?.at ?? Number.POSITIVE_INFINITY,
  )
  return reads.filter(({ node, start }) => start > (knownAt[node] as number))
}

/** A node that was usable at the instant already counts from there. */
function usableSince(rig: Rig, from: number, node: number): number {
  const at = rig.states.findLast((state) => state.node === node)?.at ?? from
  const last = rig.usableAt(from, node)
  return Math.max(0, (last ?? Math.min(at, from)) - from)
}

/**
 * What a frozen L2 costs a node before its breaker is open: five batches in a row, and those that are
 * under way when the fifth fails: four at the most.
 */
export function paysLittle(rig: Rig, { brokeAt, healedAt }: Outcome): string {
  const costs = rig.nodes.map(({ errors }) => {
    const paid = errors.filter(
      ({ at, kind, error }) =>
        kind === 'l2-read' &&
        isResilienceError(error, 'ERR_TIMEOUT') &&
        at > brokeAt &&
        at < healedAt,
    )
    expect(paid.length, 'batches that paid the deadline').toBeLessThanOrEqual(9)
    expect(paid.length, 'batches that paid the deadline').toBeGreaterThan(0)
    return `${paid.length} batches within ${ms((paid.at(-1)?.at ?? brokeAt) - brokeAt)}`
  })
  return `paid: ${costs.join(' and ')}`
}
