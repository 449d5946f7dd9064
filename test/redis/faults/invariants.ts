import { expect } from 'vitest'
import { percentile } from '../servers/load.ts'
import type { Change, Read, Rig } from './rig.ts'

/** A fault and its end, by `performance.now()`: in between, others could not be told. */
export interface Outage {
  readonly from: number
  /** When L2 was usable again on all nodes. */
  readonly to: number
}

/** What another node may serve after an acknowledged invalidation, in milliseconds. */
const STALENESS_MS = 1_300

export interface Expected {
  /** No read takes longer (I1), beside the time in which this process was not run. */
  readonly boundMs: number
  readonly outages?: readonly Outage[]
  /** How often L2 may have lost its data, or this process what it knew of it (I3). */
  readonly generations?: number
}

/** I1 to I5 of the whole history. I2 and I7 for the process are looked at by `fault`. */
export function holdsInvariants(rig: Rig, expected: Expected): void {
  const { boundMs, outages = [], generations = 0 } = expected
  expect(
    rig.reads.filter(({ error }) => error !== undefined),
    'I2: reads that failed',
  ).toEqual([])
  noneExceeds(rig, boundMs)
  originCallsAreBounded(rig, generations, outages.length)
  nothingIsResurrected(rig, outages)
  countersReconcile(rig)
}

/** A read that needs the origin may wait for the load of another node, which is not a wait for L2. */
const LOAD_WAIT_MS = 250

/** I1, under load. What the control of the same turn took was not L2's doing. */
function noneExceeds(rig: Rig, boundMs: number): void {
  const controls = new Map(
    rig.reads.filter(({ way }) => way === 'control').map((read) => [read.turn, read]),
  )
  const late = rig.reads.filter(({ way, turn, start, end, source }) => {
    const took = end - start
    const control = controls.get(turn)
    if (way === 'control' || !control || took <= boundMs) return false
    const noise = control.end - control.start + rig.lag(start, end)
    return took > boundMs + noise + (source === 'origin' ? LOAD_WAIT_MS : 0)
  })
  expect(late.slice(0, 5), `I1: reads of more than ${boundMs} ms`).toEqual([])
}

/**
 * I3: with L1, a key is loaded once by each node, and again where it was changed or L2 has lost it.
 * After an outage a change is told again, which may cost one more load.
 */
function originCallsAreBounded(rig: Rig, generations: number, outages: number): void {
  const loads = rig.nodes.reduce((sum, { loadsWithL1 }) => sum + loadsWithL1, 0)
  const perNode = rig.ids.length * (1 + generations) + rig.changes.length * (1 + outages)
  expect(loads, 'I3: loads with L1').toBeLessThanOrEqual(rig.nodes.length * perNode)
}

/** I4. */
function nothingIsResurrected(rig: Rig, outages: readonly Outage[]): void {
  const wrong = rig.changes.flatMap((change) =>
    rig.reads
      .filter((read) => read.id === change.id && isTooOld(read, change, outages))
      .map((read) => ({ read, change, outages })),
  )
  expect(wrong.slice(0, 3), 'I4: reads of what was invalidated').toEqual([])
}

function isTooOld(read: Read, change: Change, outages: readonly Outage[]): boolean {
  if (read.version === undefined || read.version >= change.version) return false
  // What is not cached cannot be stale.
  if (read.way === 'control') return false
  if (read.node === change.node) return read.start > change.acked
  return read.start > toldBy(change, outages)
}

/** When all other nodes have to know of it. */
function toldBy({ acked, durable }: Change, outages: readonly Outage[]): number {
  let by = durable ? acked + STALENESS_MS : Number.POSITIVE_INFINITY
  for (const { from, to } of outages) {
    if (acked >= from - STALENESS_MS && acked <= to + STALENESS_MS) {
      by = Math.max(durable ? by : 0, to + STALENESS_MS)
    }
  }
  return by
}

/** I5. */
function countersReconcile(rig: Rig): void {
  for (const { cache, reads, originCalls, errors } of rig.nodes) {
    const { hits, misses, stale, ...stats } = cache.stats()
    expect(hits.l1 + hits.l2 + misses + stale, 'I5: reads').toBe(reads)
    expect(stats.originCalls, 'I5: calls of the origin').toBe(originCalls)
    expect(stats.originErrors, 'I5: errors of the origin').toBe(0)
    expect(stats.l2Errors, 'I5: errors of L2').toBe(errors.length)
  }
}

/**
 * I6: from some instant within 5 s after healing on, 95 % of a second's reads are hits. Resolves to
 * the share in the last second.
 */
export async function recovers(rig: Rig, healedAt: number): Promise<number> {
  for (;;) {
    const from = performance.now()
    const reads = await rig.load({ changesPerSecond: 0, while: () => wait(400) })
    const ratio = hitRatio(reads)
    if (ratio >= 0.95) return ratio
    if (from - healedAt > 5_000) expect(ratio, 'I6: hits').toBeGreaterThanOrEqual(0.95)
  }
}

/** Share of hits, by both ways. */
export function hitRatio(reads: readonly Read[]): number {
  const asked = reads.filter(({ way }) => way !== 'control')
  return asked.filter(({ source }) => source === 'l1' || source === 'l2').length / asked.length
}

export interface Added {
  readonly p99: number
  readonly max: number
  readonly count: number
  /** What the control took more than L2 at times: nothing but the noise of the machine. */
  readonly noise: { readonly p99: number; readonly max: number }
}

/** For a percentile. */
const ENOUGH_PAIRS = 50

/**
 * What L2 added to each read without L1: its latency less that of the control of the same turn, which
 * calls the same origin. A pair from which the system took the processor says nothing and is left out.
 */
function addedLatency(reads: readonly Read[]): Added {
  const controls = new Map(
    reads.filter(({ way }) => way === 'control').map((read) => [read.turn, read]),
  )
  const pairs = reads.flatMap((read) => {
    const control = controls.get(read.turn)
    return read.way === 'remote' && control ? [{ read, control }] : []
  })
  const quiet = pairs.filter(({ read, control }) => !wasInterrupted(read, control))
  // Where there are too few, the noise of all of them has to tell.
  const added = (quiet.length >= ENOUGH_PAIRS ? quiet : pairs).map(
    ({ read, control }) => read.end - read.start - (control.end - control.start),
  )
  const lost = added.map((value) => -value)
  return {
    p99: percentile(added, 0.99),
    max: percentile(added, 1),
    count: added.length,
    noise: { p99: percentile(lost, 0.99), max: percentile(lost, 1) },
  }
}

function wasInterrupted(one: Read, other: Read): boolean {
  const before = Math.min(one.switches[0], other.switches[0])
  return Math.max(one.switches[1], other.switches[1]) > before
}

/**
 * The figures of an L2 that is known to be away: p99 < 1 ms, max < 5 ms. The only margin is what the
 * noise of the machine does to the control in the same pairs: it is 0.1 ms where the machine is quiet.
 */
export function addsNothing(reads: readonly Read[]): Added {
  const added = addedLatency(reads)
  const { noise } = added
  expect(added.count, 'reads that were compared').toBeGreaterThan(20)
  expect(added.p99, 'added p99').toBeLessThan(1 + Math.max(0, noise.p99))
  expect(added.max, 'added max').toBeLessThan(5 + Math.max(0, noise.max))
  return added
}

export function shown({ p99, max, noise }: Added): string {
  return `added p99 ${ms(p99)}, max ${ms(max)} (noise ${ms(noise.p99)}, ${ms(noise.max)})`
}

export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`
}

function wait(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs))
}
