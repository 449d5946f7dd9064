import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import {
  type MutantName,
  type SimulationProgress,
  type SimulationReport,
  simulate,
} from '../../src/testing.ts'

// npm run test:sim -- [--seeds 100000] [--from 1] [--seed 123] [--mutant name] [--workers 2]

interface Share {
  readonly seeds: number
  readonly from: number
  readonly mutant: MutantName | undefined
}

type News = { readonly progress: SimulationProgress } | { readonly report: SimulationReport }

const PROGRESS_MS = 1000
/** Where lines cannot be overwritten. */
const LINE_MS = 10_000
/** Short-lived objects are nearly all there is: a larger nursery is collected less often. */
const YOUNG_MB = 64

if (isMainThread) process.exitCode = await main()
else await work(workerData as Share)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      mutant: { type: 'string' },
      workers: { type: 'string', default: '2' },
    },
  })
  const mutant = values.mutant as MutantName | undefined
  const startedAt = performance.now()
  if (values.seed !== undefined) {
    return conclude(
      [await simulate({ seeds: [Number(values.seed)], ...(mutant && { mutant }) })],
      startedAt,
    )
  }
  const shares = sharesOf(Number(values.seeds), Number(values.from), Number(values.workers), mutant)
  return conclude(await runAll(shares, startedAt), startedAt)
}

function sharesOf(
  seeds: number,
  from: number,
  workers: number,
  mutant: MutantName | undefined,
): Share[] {
  const each = Math.ceil(seeds / workers)
  return Array.from({ length: workers }, (_, i) => ({
    seeds: Math.min(each, seeds - i * each),
    from: from + i * each,
    mutant,
  })).filter((share) => share.seeds > 0)
}

async function runAll(shares: readonly Share[], startedAt: number): Promise<SimulationReport[]> {
  const progress = new Map<number, SimulationProgress>()
  const total = shares.reduce((sum, { seeds }) => sum + seeds, 0)
  const everyMs = process.stdout.isTTY ? PROGRESS_MS : LINE_MS
  const timer = setInterval(() => show(total, [...progress.values()], startedAt), everyMs)
  try {
    return await Promise.all(
      shares.map((share, i) => runOne(share, (news) => progress.set(i, news))),
    )
  } finally {
    clearInterval(timer)
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  }
}

function runOne(
  share: Share,
  onProgress: (progress: SimulationProgress) => void,
): Promise<SimulationReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: share,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`a worker ended with code ${code}`)))
    worker.on('message', (news: News) => {
      if ('report' in news) resolve(news.report)
      else onProgress(news.progress)
    })
  })
}

/** A simulation is seldom left by its events: what it has done is told between seeds. */
async function work({ mutant, ...share }: Share): Promise<void> {
  let toldAt = performance.now()
  const report = await simulate({
    ...share,
    ...(mutant && { mutant }),
    onProgress(progress) {
      if (performance.now() - toldAt < PROGRESS_MS / 2) return
      toldAt = performance.now()
      parentPort?.postMessage({ progress } satisfies News)
    },
  })
  parentPort?.postMessage({ report } satisfies News)
}

function show(total: number, all: readonly SimulationProgress[], startedAt: number): void {
  const sum = (count: (progress: SimulationProgress) => number): number =>
    all.reduce((so, progress) => so + count(progress), 0)
  const done = sum((progress) => progress.done)
  const seconds = (performance.now() - startedAt) / 1000
  const left = done > 0 ? Math.round(((total - done) * seconds) / done) : 0
  const line =
    `${done} of ${total} schedules, ${sum((one) => one.operations)} operations, ` +
    `${sum((one) => one.faults)} faults, ${sum((one) => one.violations)} violations, ${left} s left`
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`)
  else console.log(line)
}

function conclude(reports: readonly SimulationReport[], startedAt: number): number {
  const sum = (count: (report: SimulationReport) => number): string =>
    String(reports.reduce((so, report) => so + count(report), 0))
  const violations = reports.flatMap((report) => report.violations)
  for (const { seed, message, trace, replay } of violations.slice(0, 10)) {
    console.log(`\nseed ${seed}: ${message}`)
    for (const line of trace) console.log(`  ${line}`)
    console.log(`  again: ${replay}`)
  }
  console.log(
    `\n${sum(({ schedules }) => schedules)} schedules, ${sum(({ operations }) => operations)} ` +
      `operations, ${sum(({ faults }) => faults)} faults: ${violations.length} violations in ` +
      durationOf(performance.now() - startedAt),
  )
  return violations.length > 0 ? 1 : 0
}

function durationOf(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`
}
