import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../harness/redis-server.ts'
import type { Scene } from '../harness/scene.ts'
import { quantile } from '../harness/statistics.ts'

const reader = new URL('../harness/redis-reader.ts', import.meta.url)

/**
 * One process invalidates, another has the value in L1: how long after the call began the other does
 * not serve it any more. Both read the same monotonic clock of the machine.
 */
export const scene: Scene = async ({ library, loadRedis, url, quick }) => {
  const rounds = quick ? 100 : 500
  const server = await startRedis()
  const address = `redis://${server.host}:${server.port}`
  const redis = await loadRedis()
  const cache = library.createCache({ name: 'bench', ttl: '1h', l2: redis({ url: address }) })
  const args = [url('index.js'), url('redis.js'), address]
  const child = fork(reader, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    await cache.ready({ timeout: '10s', strict: true })
    const partner = cache.cached(async (id: number) => id, { name: 'partner' })
    await told(child)
    const ms: number[] = []
    for (let round = 0; round < rounds; round++) {
      child.send(round)
      await told(child)
      // Not in step with the reader, which has just been busy.
      await sleep(2)
      const gone = told(child)
      const start = process.hrtime.bigint()
      const { durable } = await partner.invalidate(round)
      if (!durable) throw new Error('Redis did not acknowledge an invalidation')
      ms.push(Number(BigInt(await gone) - start) / 1e6)
    }
    const p99 = quantile(ms, 0.99)
    return [{ id: 'redis-propagation', samples: ms, parts: { p99Ms: p99, maxMs: Math.max(...ms) } }]
  } finally {
    child.kill('SIGKILL')
    await cache.close()
    await server.stop()
  }
}

async function told(child: ChildProcess): Promise<string> {
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (typeof message !== 'string') throw new Error('the reading process ended')
  return message
}
