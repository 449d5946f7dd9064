import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Reply, serve } from '../processes/serve.ts'
import { seededRandom } from '../traffic/random.ts'
import { type Latency, logNormal } from './latency.ts'

export interface Upstream {
  readonly name: string
  readonly latency: Latency
  answer(url: URL, body: string): Answer
}

export interface Answer extends Reply {
  /** What this call costs, in dollars. */
  readonly usd?: number
}

/** What `/stats` says since the last `/reset`. */
export interface UpstreamStats {
  calls: number
  failures: number
  usd: number
}

export interface UpstreamOptions {
  readonly seed: string
  /** Divides the latencies: at 50, a call that takes 2.5 s in production takes 50 ms. */
  readonly speed: number
  /** The share of calls answered with 503. */
  readonly failures: number
}

export function upstreamArguments({ seed, speed, failures }: UpstreamOptions): string[] {
  return [`--seed=${seed}`, `--speed=${speed}`, `--failures=${failures}`]
}

/** Serves an upstream that is as slow, as unreliable and as expensive as the real one. */
export async function serveUpstream(upstream: Upstream): Promise<void> {
  const { seed, speed, failures } = optionsOfThisProcess()
  const random = seededRandom(`${seed}:${upstream.name}`)
  const latency = logNormal(upstream.latency, random)
  let stats: UpstreamStats = { calls: 0, failures: 0, usd: 0 }

  await serve(async (url, body) => {
    if (url.pathname === '/stats') return { body: stats }
    if (url.pathname === '/reset') {
      stats = { calls: 0, failures: 0, usd: 0 }
      return { body: stats }
    }
    stats.calls++
    const fails = random() < failures
    await sleep(latency() / speed)
    if (fails) {
      stats.failures++
      return { status: 503, body: { error: `${upstream.name} is overloaded` } }
    }
    const { usd = 0, ...reply } = upstream.answer(url, body)
    stats.usd += usd
    return reply
  })
}

export function optionsOfThisProcess(): UpstreamOptions {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { seed: text, speed: text, failures: text } })
  return {
    seed: values.seed ?? '1',
    speed: Number(values.speed ?? 1),
    failures: Number(values.failures ?? 0),
  }
}
