import type { Stale } from './truth.ts'

/** What came of the answers of a second, or of a phase. */
export class Tally {
  answers = 0
  errors = 0
  fromL1 = 0
  fromL2 = 0
  /** Answers that an origin gave, for this caller or for another one at the same time. */
  loaded = 0
  originCalls = 0
  dollars = 0
  dollarsWithout = 0
  /** Longest that an old value was still served after its invalidation was called. */
  oldestMs = 0
  /** Of these, the ones that were served longer than they may. */
  tooOld = 0
  seconds = 0
  readonly latencies: number[] = []

  answered(source: string, ms: number, stale: Stale | undefined): void {
    this.answers++
    this.latencies.push(ms)
    if (source === 'l1') this.fromL1++
    else if (source === 'l2') this.fromL2++
    else this.loaded++
    if (!stale) return
    this.oldestMs = Math.max(this.oldestMs, stale.ms)
    if (stale.ms > stale.allowedMs) this.tooOld++
  }

  add(other: Tally): void {
    this.answers += other.answers
    this.errors += other.errors
    this.fromL1 += other.fromL1
    this.fromL2 += other.fromL2
    this.loaded += other.loaded
    this.originCalls += other.originCalls
    this.dollars += other.dollars
    this.dollarsWithout += other.dollarsWithout
    this.oldestMs = Math.max(this.oldestMs, other.oldestMs)
    this.tooOld += other.tooOld
    this.seconds += other.seconds
    for (const ms of other.latencies) this.latencies.push(ms)
  }

  get hitRate(): number {
    return this.answers === 0 ? 0 : (this.fromL1 + this.fromL2) / this.answers
  }

  get p99(): number {
    const sorted = this.latencies.toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0
  }
}
