/**
 * What the library does to a service under realistic traffic, in under a minute: `npm run demo`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoOptions, readFlags, USAGE } from './flags.ts'
import { runPhase } from './phase.ts'
import { CleanUp } from './processes/clean-up.ts'
import { startUpstreams } from './processes/upstreams.ts'
import { progress } from './report/progress.ts'
import type { DemoResult, PhaseResult } from './report/result.ts'
import { textReport } from './report/text-report.ts'
import { AnswerBook } from './traffic/answer-book.ts'
import { documents, requestStream } from './traffic/stream.ts'

const PHASES = [
  { name: '1 without', cache: 'off' },
  { name: '2 with it', cache: 'on' },
  { name: '3 restarted', cache: 'on' },
] as const

/** The audit measured 2 to 4 seconds a call; the demo does not have that time. */
const SPEED = 50
const FAILURES = 0.015

/** Fired by Ctrl-C, by a closed terminal and by a process that ends by itself. */
const stop = new AbortController()
class Interrupted extends Error {}
for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(event, () => stop.abort(new Interrupted('Interrupted; everything is cleaned up.')))
}
process.stdout.on('error', () => stop.abort(new Interrupted()))

try {
  const options = readFlags(process.argv.slice(2))
  if (options) {
    const result = await CleanUp.after((cleanUp) => runDemo(options, cleanUp))
    stop.signal.throwIfAborted()
    report(result, options)
  } else console.log(USAGE)
} catch (error) {
  const reason = stop.signal.aborted ? stop.signal.reason : error
  console.error(`\n${reason instanceof Error ? reason.message : String(reason)}`)
  process.exitCode = reason instanceof Interrupted ? 130 : 1
}

async function runDemo(options: DemoOptions, cleanUp: CleanUp): Promise<DemoResult> {
  const { seed, requests, concurrency } = options
  const start = performance.now()
  const out = options.json ? process.stderr : process.stdout
  const onCrash = (error: Error) => stop.abort(error)

  const folder = await mkdtemp(join(tmpdir(), 'resilient-cache-demo-'))
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }))
  const upstreams = await startUpstreams(
    { seed, speed: SPEED, failures: FAILURES },
    cleanUp,
    onCrash,
  )

  const documentCount = Math.ceil(requests * 0.3)
  const stream = requestStream(seed, requests, documentCount)
  const book = new AnswerBook()
  const results: PhaseResult[] = []
  out.write(
    `${requests} requests for ${new Set(stream).size} tax documents, ${concurrency} at a time, ` +
      `latencies 1/${SPEED} of the real ones, ${100 * FAILURES} % of upstream calls fail.\n`,
  )
  for (const phase of PHASES) {
    const line = progress(out, phase.name, requests)
    try {
      results.push(
        await runPhase({
          ...phase,
          databasePath: join(folder, 'cache.sqlite'),
          upstreams,
          documents: documents(seed, documentCount),
          stream,
          concurrency,
          book,
          signal: stop.signal,
          onCrash,
          onAnswer: line.answered,
        }),
      )
    } finally {
      line.done()
    }
  }
  return {
    seed,
    requests,
    concurrency,
    documents: new Set(stream).size,
    durationMs: Math.round(performance.now() - start),
    identical: book.different === 0,
    checkedAnswers: book.checked,
    phases: results as unknown as DemoResult['phases'],
  }
}

function report(result: DemoResult, { json }: DemoOptions) {
  console.log(json ? JSON.stringify(result, null, 2) : textReport(result))
  if (!result.identical) throw new Error('An answer differs from the one without the library.')
}
