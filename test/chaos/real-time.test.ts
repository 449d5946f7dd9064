import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { allFaults, workload } from './workload.ts'

const RUN_MS = 1000
const WIDTH = 8

let folder = ''
const rejections: unknown[] = []
const note = (error: unknown): void => void rejections.push(error)

beforeAll(async () => {
  process.on('unhandledRejection', note)
  folder = await mkdtemp(join(tmpdir(), 'resilient-cache-chaos-'))
})

afterAll(async () => {
  process.off('unhandledRejection', note)
  await rm(folder, { recursive: true, force: true })
})

it.each([0.05, 0.2])(
  'a file that fails in every way at a rate of %d harms no read',
  async (rate) => {
    const seed = Math.round(rate * 100)
    const store = sqlite({ path: join(folder, `cache-${seed}.db`) })
    const chaos = chaosStore(store, { seed, ...allFaults(rate) })
    const work = workload({ store: chaos, seed })
    const end = performance.now() + RUN_MS
    let steps = 0
    await Promise.all(
      Array.from({ length: WIDTH }, async () => {
        while (performance.now() < end) {
          await work.step()
          steps++
          await new Promise((resolve) => setImmediate(resolve))
        }
      }),
    )
    await work.cache.close()
    expect(work.escaped).toEqual([])
    expect(work.wrong).toEqual([])
    expect(rejections).toEqual([])
    expect(steps).toBeGreaterThan(WIDTH)
    expect(chaos.counts.operations).toBeGreaterThan(0)
  },
)
