import type { CacheStats } from '../../src/index.ts'
import { startChild } from './processes/child.ts'
import { CleanUp } from './processes/clean-up.ts'
import { fetchJson, UPSTREAMS, type UpstreamName, type Upstreams } from './processes/upstreams.ts'
import { type PhaseResult, percentile } from './report/result.ts'
import type { AnswerBook } from './traffic/answer-book.ts'
import { runLoad, send } from './traffic/load.ts'

/** How often a document whose every answer failed is asked for again. */
const REFERENCE_TRIES = 20

export interface Phase {
  readonly name: string
  readonly cache: 'on' | 'off'
  readonly databasePath: string
  readonly upstreams: Upstreams
  readonly documents: readonly string[]
  readonly stream: readonly number[]
  readonly concurrency: number
  readonly book: AnswerBook
  readonly signal: AbortSignal
  onCrash(error: Error): void
  onAnswer(failed: boolean): void
}

/** Starts the service, sends it the whole stream, stops it, and tells what happened. */
export function runPhase(phase: Phase): Promise<PhaseResult> {
  return CleanUp.after((cleanUp) => runUntilStopped(phase, cleanUp))
}

async function runUntilStopped(phase: Phase, cleanUp: CleanUp): Promise<PhaseResult> {
  const { upstreams, book, signal, stream, documents } = phase
  const { tax, partners, llm } = upstreams.addresses
  const service = await startChild(
    new URL('./service.ts', import.meta.url),
    [
      '--port=0',
      `--cache=${phase.cache}`,
      `--db=${phase.databasePath}`,
      `--tax=${tax}`,
      `--partners=${partners}`,
      `--llm=${llm}`,
    ],
    phase.onCrash,
  )
  cleanUp.defer(service.stop)
  await upstreams.reset()

  const latencies: number[] = []
  let failed = 0
  await runLoad({
    ...phase,
    url: service.url,
    onAnswer(document, answer, latencyMs) {
      latencies.push(latencyMs)
      if (answer.status !== 200) failed++
      book.check(document, answer)
      phase.onAnswer(answer.status !== 200)
    },
  })
  const used = await upstreams.stats()
  const answeredBy = phase.cache === 'on' ? await lookUps(service.url) : NO_LOOK_UPS

  if (phase.cache === 'off') {
    for (const document of new Set(stream)) {
      for (let tries = 0; !book.has(document) && tries < REFERENCE_TRIES; tries++) {
        book.check(document, await send(service.url, documents[document] as string, signal))
      }
    }
  }

  latencies.sort((a, b) => a - b)
  return {
    name: phase.name,
    requests: stream.length,
    failed,
    upstreamCalls: Object.fromEntries(UPSTREAMS.map((name) => [name, used[name].calls])) as Record<
      UpstreamName,
      number
    >,
    upstreamFailures: UPSTREAMS.reduce((sum, name) => sum + used[name].failures, 0),
    latencyMs: {
      p50: percentile(latencies, 0.5),
      p95: percentile(latencies, 0.95),
      p99: percentile(latencies, 0.99),
    },
    ...answeredBy,
    usd: UPSTREAMS.reduce((sum, name) => sum + used[name].usd, 0),
  }
}

type LookUps = Pick<PhaseResult, 'hitRate' | 'staleServed'>

const NO_LOOK_UPS: LookUps = { hitRate: { l1: 0, l2: 0 }, staleServed: 0 }

async function lookUps(url: string): Promise<LookUps> {
  const { hits, misses, stale } = await fetchJson<CacheStats>(`${url}/stats`)
  const all = hits.l1 + hits.l2 + misses + stale
  return { hitRate: { l1: hits.l1 / all, l2: hits.l2 / all }, staleServed: stale }
}
