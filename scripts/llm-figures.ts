// The figures of docs/guides/llm.md, made of bench/results/llm.json.
//
//   node scripts/llm-figures.ts    writes them into the guide; a test fails when they are not there
import { readFileSync, writeFileSync } from 'node:fs'
import { UPSTREAM_MS } from '../bench/llm/hit-latency.ts'
import { percent, type Results, type WorkloadResult } from '../bench/llm/results.ts'

/** What `npm run bench:llm` writes, as far as it is shown. */
export interface LlmFigures extends Results {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string }
  readonly model: { readonly asOf: string }
}

export const GUIDE = 'docs/guides/llm.md'
const START = '<!-- llm-figures:start -->'
const END = '<!-- llm-figures:end -->'

export function readFigures(): LlmFigures {
  return JSON.parse(readFileSync(new URL('../bench/results/llm.json', import.meta.url), 'utf8'))
}

/** The guide with these figures in the place of those that are there. */
export function withFigures(guide: string, figures: LlmFigures): string {
  const start = guide.indexOf(START) + START.length
  const end = guide.indexOf(END)
  return `${guide.slice(0, start)}\n\n${markdownOf(figures)}\n\n${guide.slice(end)}`
}

function markdownOf(figures: LlmFigures): string {
  const { machine, model, workloads } = figures
  return [
    `On a shared ${machine.cpu} with ${machine.cores} cores and Node ${machine.node}; prices of ${model.asOf} ([raw figures](../../bench/results/llm.json)).`,
    tableOf([
      ['saving of input cost', 'requests', 'limit', ...namesOf(workloads), 'R of the planner'],
      ...workloads.map(savingRow),
    ]),
    tableOf([['figure', ''], ...otherRows(figures)]),
  ].join('\n\n')
}

function namesOf([first]: readonly WorkloadResult[]): string[] {
  return first?.strategies.map(({ strategy }) => strategy) ?? []
}

function savingRow({ workload, requests, none, bound, strategies }: WorkloadResult): string[] {
  const saving = (cost: number): string => percent(1 - cost / none)
  const planner = strategies.find(({ strategy }) => strategy === 'planner')
  return [
    workload,
    requests.toLocaleString('en-US'),
    saving(bound),
    ...strategies.map(({ cost }) => saving(cost)),
    planner?.score.toFixed(3) ?? '',
  ]
}

function otherRows({ random, planning, repeated, trace, hits, burst }: LlmFigures): string[][] {
  const us = (value: number): string => `${value.toFixed(0)} µs`
  const share = (cost: number): string => percent(1 - cost / burst.none)
  return [
    ...random.map(({ strategy, meanScore, worstExcess, over2Percent }) => [
      `1,000 random workloads, ${strategy}`,
      `mean R ${meanScore.toFixed(3)}; after five requests ${over2Percent} of them cost over 2 % more than no caching, the worst ${percent(worstExcess)}`,
    ]),
    ...planning.map(({ requests, meanUs, p99Us }) => [
      `planning a request of 100 blocks, ${requests}`,
      `${us(meanUs)}, p99 ${us(p99Us)}`,
    ]),
    [
      'three equal calls',
      `${repeated.upstreamCalls} call of the provider: ${percent(1 - repeated.dollars / repeated.dollarsWithout)} saved`,
    ],
    [
      `a trace of ${trace.calls.toLocaleString('en-US')} calls with ${trace.repeats} repeats`,
      `${trace.hits} hits; those within their ttl are ${trace.expectedHits}`,
    ],
    ...hits.map(({ level, p50Ms, p99Ms }) => [
      `a hit, ${level}`,
      `${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, where an answer takes ${UPSTREAM_MS.wholeAnswer / 1000} s`,
    ]),
    [
      '50 cold calls at once that share 6,000 tokens, without the gate',
      `${burst.ungated.writes} writes: saving ${share(burst.ungated.cost)}`,
    ],
    ['the same with the gate', `${burst.gated.writes} write: saving ${share(burst.gated.cost)}`],
  ]
}

function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

if (import.meta.main) {
  const file = new URL(`../${GUIDE}`, import.meta.url)
  writeFileSync(file, withFigures(readFileSync(file, 'utf8'), readFigures()))
}
