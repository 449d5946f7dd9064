import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bench, type Task } from 'tinybench'
import type { Measured, Scene } from '../harness/scene.ts'
import { sampleValue } from './sample.ts'

const KEYS = 1000
const BATCH = 100

/** The embedded L2: one read, 100 at a time, and one acknowledged write. L1 is off, so that each read is one. */
export const scene: Scene = async ({ library, loadSqlite, quick }) => {
  const sqlite = await loadSqlite()
  const folder = mkdtempSync(join(tmpdir(), 'resilient-cache-bench-'))
  const cache = library.createCache({
    name: 'bench',
    ttl: '1h',
    l1: false,
    l2: sqlite({ path: join(folder, 'cache.db'), timeout: '5s' }),
  })
  try {
    await cache.ready({ timeout: '10s' })
    const keys = Array.from({ length: KEYS }, (_, id) => `${12_000_000 + id}-5`)
    for (const [id, key] of keys.entries()) await cache.set(key, sampleValue(id))
    let next = 0
    const bench = new Bench({ time: quick ? 300 : 1500, warmupTime: quick ? 100 : 500 })
    bench.add('sqlite-read', () => cache.get(keys[next++ % KEYS] as string))
    bench.add('sqlite-read-100', () =>
      Promise.all(keys.slice(0, BATCH).map((key) => cache.get(key))),
    )
    bench.add('sqlite-write', () => cache.set(keys[next % KEYS] as string, sampleValue(next++)))
    await bench.run()
    const { hits } = cache.stats()
    if (hits.l2 === 0) throw new Error('no read was answered by the file')
    return bench.tasks.map(measuredOf)
  } finally {
    await cache.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function measuredOf({ name, result }: Task): Measured {
  if (result.state !== 'completed') throw new Error(`${name} ended as ${result.state}`)
  const { p50, p99 } = result.latency
  const each = name === 'sqlite-read-100' ? BATCH : 1
  return { id: name, samples: [(p50 * 1000) / each], parts: { p99Us: (p99 * 1000) / each } }
}
