// `npm run bench:llm`: what the layer for LLMs saves, and how far that is from what could be saved.
// See bench/llm/README.md.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findProfile } from '../../src/llm/models/profiles.ts'
import { describeMachine, versionsOf } from '../harness/machine.ts'
import { coldBurst } from './cold-burst.ts'
import { measureHits } from './hit-latency.ts'
import { costWithoutCaching, lowerBound } from './lower-bound.ts'
import { measurePlanning } from './planning-time.ts'
import { scoreRandom } from './random-scores.ts'
import { replay } from './replay.ts'
import { reportOf } from './report.ts'
import { repeatCall, replayTrace } from './response-cache.ts'
import { promisesOf, type Results, type WorkloadResult } from './results.ts'
import { scoreOf } from './score.ts'
import { strategies } from './strategies.ts'
import { MODEL, type Workload } from './timed-request.ts'
import { SEED, workloads } from './workloads.ts'

const USAGE = `npm run bench:llm -- [--quick] [--json <file>] [--random <count>] [--seed <seed>]
  --quick           fewer repetitions: a first impression in half a minute
  --json <file>     writes the results there instead of to bench/results/llm.json
  --random <count>  how many random workloads; 1,000 where nothing is said
  --seed <seed>     of the named workloads; ${SEED} is nearest to the published table
Exit code 1 when a promise is not kept.`

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    random: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  console.log(USAGE)
  process.exit()
}

const { quick } = flags
const seed = numberOf(flags.seed, SEED)
const profile = findProfile('anthropic', MODEL)
const machine = describeMachine()
progress(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load}\n`)
const startedAt = performance.now()

const results = await measure()
const seconds = Math.round((performance.now() - startedAt) / 1000)
const promises = promisesOf(results)
progress('\r\u001b[K')
console.log(reportOf(results, promises))

const file = flags.json ?? fileURLToPath(new URL('../results/llm.json', import.meta.url))
// A first impression is not a result to publish.
if (flags.json !== undefined || !quick) {
  const command = ['npm run bench:llm --', ...process.argv.slice(2)].join(' ')
  const versions = versionsOf(['@anthropic-ai/sdk'])
  const date = new Date().toISOString()
  const { price, read, write, minTokens, asOf } = profile
  const model = { id: MODEL, price, read, write, minTokens, asOf }
  const all = { name: 'llm', date, command, machine, versions, model, seed, seconds, promises }
  writeFileSync(file, `${JSON.stringify({ ...all, ...results }, rounded, 2)}\n`)
  progress(`\n${file}, after ${seconds} s\n`)
}
const missed = promises.filter(({ kept }) => !kept)
for (const { promise, measured } of missed) progress(`MISSED: ${promise}, got ${measured}\n`)
if (missed.length > 0) process.exitCode = 1

async function measure(): Promise<Results> {
  // First, before the heap is full of prompts.
  step('planning time')
  const planning = measurePlanning(quick ? 40 : 200)
  step('hits')
  const hits = await measureHits(quick ? 300 : 2000)
  step('three equal calls, and a trace')
  const repeated = await repeatCall(3)
  const trace = await replayTrace(seed, quick ? 200 : 1000)
  step('50 cold calls')
  const ungated = await coldBurst(profile, false)
  const gated = await coldBurst(profile, true)
  const rows: WorkloadResult[] = []
  for (const workload of workloads) rows.push(await resultOf(workload))
  const count = numberOf(flags.random, quick ? 50 : 1000)
  const random = await scoreRandom(count, profile, (done) => {
    if (done % 10 === 0) step(`random workload ${done} of ${count}`)
  })
  const burst = { ungated, gated, none: ungated.promptTokens }
  return { workloads: rows, random, planning, repeated, trace, hits, burst }
}

async function resultOf(workload: Workload): Promise<WorkloadResult> {
  const requests = workload.requests(seed)
  const none = costWithoutCaching(requests)
  const bound = lowerBound(requests, profile)
  const rows: WorkloadResult['strategies'][number][] = []
  for (const strategy of strategies) {
    step(`${workload.name}: ${strategy.name}`)
    const replayed = await replay(requests, strategy, profile)
    const score = scoreOf(replayed.cost, { none, bound }) ?? Number.NaN
    rows.push({ strategy: strategy.name, score, ...replayed })
  }
  const { input = Number.NaN, output = Number.NaN } = profile.price ?? {}
  const outputTokens = requests.reduce((sum, timed) => sum + timed.outputTokens, 0)
  const inputDollars = (none * input) / 1e6
  const noneDollars = { input: inputDollars, total: inputDollars + (outputTokens * output) / 1e6 }
  return {
    workload: workload.name,
    requests: requests.length,
    none,
    bound,
    noneDollars,
    strategies: rows,
  }
}

function numberOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  console.error(`${text} is no number\n\n${USAGE}`)
  process.exit(2)
}

function step(name: string): void {
  progress(`\r\u001b[K${name}`)
}

function progress(text: string): void {
  process.stderr.write(text)
}

/** Five digits are more than any of these figures is good for. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(5))
    : value
}
