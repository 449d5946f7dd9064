import { layOut } from '../table.ts'
import { UPSTREAM_MS } from './hit-latency.ts'
import { type Promised, percent, type Results, type WorkloadResult } from './results.ts'
import { savingOf } from './score.ts'

/** All results as text, in the order in which they were measured. */
export function reportOf(results: Results, promises: readonly Promised[]): string {
  return [
    section('Saving of input cost, and R, the share of the limit', savings(results)),
    section('Dollars, input only / with output', dollars(results)),
    section('Random workloads (accounting by the oracle)', random(results)),
    section('Planning a request of 100 blocks', planning(results)),
    section('Response cache', responseCache(results)),
    section(
      `Hits, beside an upstream said to take ${UPSTREAM_MS.firstByte} ms to its first byte and ${UPSTREAM_MS.wholeAnswer} ms in all`,
      hits(results),
    ),
    section('50 cold calls that share 6,000 tokens, 500 of their own', burst(results)),
    section('Promises', promises.map(promiseLine)),
  ].join('\n\n')
}

type Rows = readonly (readonly string[])[]

function section(title: string, rows: Rows): string {
  return `${title}\n${layOut(rows)}`
}

function savings({ workloads }: Results): Rows {
  const names = namesOf(workloads)
  const head = ['', 'requests', 'limit', ...names, ...names.map((name) => `R ${name}`)]
  const rows = workloads.map(({ workload, requests, none, bound, strategies }) => [
    workload,
    requests.toLocaleString('en-US'),
    percent(savingOf(bound, none)),
    ...strategies.map(({ cost }) => percent(savingOf(cost, none))),
    ...strategies.map(({ score }) => score.toFixed(3)),
  ])
  return [head, ...rows]
}

function dollars({ workloads }: Results): Rows {
  const head = ['', 'no caching', ...namesOf(workloads), 'lower bound']
  const rows = workloads.map(({ workload, none, bound, noneDollars, strategies }) => {
    const { input, total } = noneDollars
    const atBound = (input * bound) / none
    return [
      workload,
      pair(input, total),
      ...strategies.map(({ inputDollars, totalDollars }) => pair(inputDollars, totalDollars)),
      pair(atBound, total - input + atBound),
    ]
  })
  return [head, ...rows]
}

function pair(input: number, total: number): string {
  return `${input.toFixed(3)} / ${total.toFixed(3)}`
}

function namesOf(workloads: readonly WorkloadResult[]): readonly string[] {
  return workloads[0]?.strategies.map(({ strategy }) => strategy) ?? []
}

function random(results: Results): Rows {
  return [
    ['', 'mean R', 'R of all', 'worst R', 'worst excess', 'above 2 %'],
    ...results.random.map((score) => [
      score.strategy,
      score.meanScore.toFixed(3),
      score.pooledScore.toFixed(3),
      score.worstScore.toFixed(3),
      percent(score.worstExcess),
      String(score.over2Percent),
    ]),
  ]
}

function planning(results: Results): Rows {
  return [
    ['', 'mean', 'p50', 'p99'],
    ...results.planning.map(({ requests, meanUs, p50Us, p99Us }) => [
      requests,
      ...[meanUs, p50Us, p99Us].map((us) => `${us.toFixed(0)} µs`),
    ]),
  ]
}

function responseCache({ repeated, trace }: Results): Rows {
  const { calls, repeats, upstreamCalls, expectedHits } = trace
  const share = repeated.dollars / repeated.dollarsWithout
  return [
    ['three equal calls', `${repeated.upstreamCalls} upstream`, `saving ${percent(1 - share)}`],
    [
      `trace of ${calls} calls, ${repeats} repeats`,
      `${upstreamCalls} upstream`,
      `${trace.hits} hits, oracle ${expectedHits}`,
    ],
  ]
}

function hits(results: Results): Rows {
  return [
    ['', 'p50', 'p99', 'first byte / p50', 'whole answer / p50'],
    ...results.hits.map(({ level, p50Ms, p99Ms }) => [
      level,
      `${p50Ms.toFixed(3)} ms`,
      `${p99Ms.toFixed(3)} ms`,
      `${(UPSTREAM_MS.firstByte / p50Ms).toFixed(0)} times`,
      `${(UPSTREAM_MS.wholeAnswer / p50Ms).toFixed(0)} times`,
    ]),
  ]
}

function burst({ burst: { gated, ungated, none } }: Results): Rows {
  const row = (name: string, { writes, reads, cost }: typeof gated): string[] => [
    name,
    String(writes),
    String(reads),
    percent(savingOf(cost, none)),
  ]
  return [
    ['', 'writes', 'reads', 'saving of input cost'],
    row('without the gate', ungated),
    row('with the gate', gated),
  ]
}

function promiseLine({ promise, measured, kept }: Promised): readonly string[] {
  return [promise, measured, kept ? 'kept' : 'MISSED']
}
