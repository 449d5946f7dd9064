import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startRedis } from '../harness/redis-server.ts'
import type { Measured, Scene, SceneContext } from '../harness/scene.ts'
import { quantile } from '../harness/statistics.ts'
import { sampleValue } from './sample.ts'

const PAUSE_MS = 1

type Cache = ReturnType<SceneContext['library']['createCache']>

/**
 * What a lost Redis adds to a call: one that refuses, from the first call, and one that is frozen, once
 * the breaker is open. About 1,000 calls a second, all of them misses of L1 with an origin that answers
 * at once. The control is the same cache without L2, its calls between those of the subject.
 */
export const scene: Scene = async (context) => {
  const { library, loadRedis, quick } = context
  const redis = await loadRedis()
  const calls = quick ? 1000 : 5000
  const open = (port: number): Cache =>
    library.createCache({
      name: 'bench',
      ttl: '1h',
      l2: redis({ url: `redis://127.0.0.1:${port}` }),
    })

  const refused = await withCache(open(await freePort()), (cache) => added(context, cache, calls))

  const server = await startRedis()
  try {
    const frozen = await withCache(open(server.port), async (cache) => {
      await cache.ready({ timeout: '10s', strict: true })
      const warm = cache.cached(async (id: number) => sampleValue(id), { name: 'warm' })
      await warm(0)
      server.freeze()
      for (let id = 1; cache.health().l2.breaker.read === 'closed'; id++) await warm(id)
      return added(context, cache, calls)
    })
    return [...figures('refused', refused), ...figures('frozen', frozen)]
  } finally {
    await server.stop()
  }
}

async function withCache<T>(cache: Cache, use: (cache: Cache) => Promise<T>): Promise<T> {
  try {
    return await use(cache)
  } finally {
    await cache.close({ deadline: 0 })
  }
}

interface Latencies {
  readonly subject: number[]
  readonly control: number[]
}

async function added({ library }: SceneContext, cache: Cache, calls: number): Promise<Latencies> {
  const origin = async (id: number): Promise<object> => sampleValue(id)
  const subject = cache.cached(origin, { name: 'subject' })
  const plain = library.createCache({ name: 'control', ttl: '1h' })
  const control = plain.cached(origin, { name: 'control' })
  const latencies: Latencies = { subject: [], control: [] }
  for (let id = 0; id < calls; id++) {
    const isFirst = id % 2 === 0
    if (isFirst) latencies.subject.push(await time(subject, id))
    latencies.control.push(await time(control, id))
    if (!isFirst) latencies.subject.push(await time(subject, id))
    await sleep(PAUSE_MS)
  }
  await plain.close()
  return latencies
}

async function time(call: (id: number) => Promise<object>, id: number): Promise<number> {
  const start = performance.now()
  await call(id)
  return performance.now() - start
}

function figures(name: string, { subject, control }: Latencies): Measured[] {
  const figure = (what: string, share: number): Measured => {
    const [with_, without] = [quantile(subject, share), quantile(control, share)]
    const parts = { withMs: with_, controlMs: without }
    return { id: `redis-${name}-${what}`, samples: [Math.max(0, with_ - without)], parts }
  }
  return [figure('p99', 0.99), figure('max', 1)]
}
