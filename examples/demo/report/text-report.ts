import { type DemoResult, type PhaseResult, totalCalls } from './result.ts'

const HEADINGS = [
  ['phase', 'requests', 'failed', 'tax', 'partners', 'LLM'],
  ['p50', 'p95', 'p99', 'L1', 'L2', 'stale', 'cost'],
].flat()

const CAPTION = `Calls per upstream; latency in ms; share of look-ups answered by L1 and by L2, number of those
answered by a stale value while a new one was fetched.`

/** The table, what changed in plain sentences, and where to go from here. */
export function textReport(result: DemoResult): string {
  return ['', table(result.phases), CAPTION, '', ...sentences(result), '', NEXT_STEPS].join('\n')
}

const NEXT_STEPS = `Next: read examples/demo/cached-origins.ts, all that the service needed.
      Run the service alone with npm start and send it documents with curl.
      Try npm run demo -- --requests=5000 --concurrency=50 --seed=7`

function table(phases: readonly PhaseResult[]): string {
  const rows = [HEADINGS, ...phases.map(row)]
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  )
  const [header = '', ...lines] = rows.map(([name = '', ...numbers]) =>
    [
      name.padEnd(widths[0] ?? 0),
      ...numbers.map((cell, column) => cell.padStart(widths[column + 1] ?? 0)),
    ].join('  '),
  )
  return [header, '-'.repeat(header.length), ...lines].join('\n')
}

function row({
  name,
  requests,
  failed,
  upstreamCalls,
  latencyMs,
  hitRate,
  staleServed,
  usd,
}: PhaseResult) {
  const { tax, partners, llm } = upstreamCalls
  return [
    name,
    ...[requests, failed, tax, partners, llm].map(String),
    ...[latencyMs.p50, latencyMs.p95, latencyMs.p99].map((ms) => ms.toFixed(1)),
    ...[hitRate.l1, hitRate.l2].map(percent),
    String(staleServed),
    dollars(usd),
  ]
}

/** Phase 2 against phase 1, then phase 3. */
function sentences({ phases, requests, identical, checkedAnswers }: DemoResult): string[] {
  const [without, cold, restarted] = phases
  const median = [without.latencyMs.p50, cold.latencyMs.p50] as const
  const calls = [totalCalls(without), totalCalls(cold)] as const
  return [
    `The same ${requests} requests cost ${dollars(cold.usd)} instead of ${dollars(without.usd)} ` +
      `(${change(without.usd, cold.usd)}), though the cache was empty at the start.`,
    `Half of the answers took at most ${median[1].toFixed(1)} ms instead of ` +
      `${median[0].toFixed(1)} ms (${change(...median)}).`,
    `The upstreams were called ${calls[1]} times instead of ${calls[0]} (${change(...calls)}); ` +
      `failed answers: ${cold.failed} instead of ${without.failed}.`,
    `After a restart the SQLite file still knew the answers: LLM calls ` +
      `${restarted.upstreamCalls.llm}, cost ${dollars(restarted.usd)}, failed ${restarted.failed}.`,
    `Answers identical: ${identical ? 'yes' : 'NO'} ` +
      `(${checkedAnswers} compared with those of the service without the library).`,
  ]
}

function change(before: number, after: number): string {
  if (before === 0) return 'no change'
  const percentage = Math.round((100 * (after - before)) / before)
  return `${percentage > 0 ? '+' : ''}${percentage} %`
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`
}
