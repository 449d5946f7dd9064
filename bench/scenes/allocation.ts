import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'
import { MAX_ENTRIES, sampleValue } from './sample.ts'

const HITS = 20_000
const ROUNDS = 15

/**
 * Bytes allocated for one awaited hit, beyond the same loop that awaits a settled promise. Needs
 * `--expose-gc`, and a young generation that no round fills: nothing is collected while it counts.
 */
export const scene: Scene = async ({ library }) => {
  const value = sampleValue(1)
  const key = 'partner-12345678-5'
  const cache = library.createCache({ ttl: '1h', l1: { maxEntries: MAX_ENTRIES } })
  const partner = cache.cached(async (_rut: string) => value, { name: 'partner' })
  const query = { tenant: 'acme', id: 42, locale: 'es-CL' }
  const byQuery = cache.cached(async (_query: object) => value, { name: 'by-query' })
  await partner(key)
  await byQuery(query)
  const settled = Promise.resolve(value)

  const nothing = async (): Promise<unknown> => {
    let last: unknown
    for (let i = 0; i < HITS; i++) last = await settled
    return last
  }
  const hit = async (): Promise<unknown> => {
    let last: unknown
    for (let i = 0; i < HITS; i++) last = await partner(key)
    return last
  }
  const text = async (): Promise<unknown> => {
    let last: unknown
    for (let i = 0; i < HITS; i++) {
      last = JSON.stringify(query)
      await settled
    }
    return last
  }
  const objectHit = async (): Promise<unknown> => {
    let last: unknown
    for (let i = 0; i < HITS; i++) last = await byQuery(query)
    return last
  }

  for (let i = 0; i < 20; i++) {
    for (const loop of [nothing, hit, text, objectHit]) await loop()
  }
  const perHit: number[] = []
  const perObjectHit: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    perHit.push((await allocatedBy(hit)) - (await allocatedBy(nothing)))
    perObjectHit.push((await allocatedBy(objectHit)) - (await allocatedBy(text)))
  }
  return [
    {
      id: 'allocation',
      samples: perHit,
      parts: { awaitBytes: median([await allocatedBy(nothing)]) },
    },
    { id: 'allocation-object', samples: perObjectHit },
  ]
}

async function allocatedBy(loop: () => Promise<unknown>): Promise<number> {
  gc?.()
  const before = process.memoryUsage().heapUsed
  await loop()
  return (process.memoryUsage().heapUsed - before) / HITS
}
