import pLimit from 'p-limit'
import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const LIMIT = 10
const items = Array.from({ length: 10_000 }, (_, index) => index)

/**
 * `parallel.map` of 10,000 items, ten at a time, against p-limit's own `map`, and what is below both: ten
 * loops that share an index. Three tasks at once, against `Promise.all` of the same.
 */
export const scene: Scene = async ({ library, settings }) => {
  const { parallel } = library
  const work = async (item: number): Promise<number> => item + 1
  const a = async (): Promise<number> => 1
  const timings = await timeInRounds(
    [
      {
        name: 'pLimit',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await pLimit(LIMIT).map(items, work)
          return last
        },
      },
      {
        name: 'map',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            last = await parallel.map(items, work, { concurrency: LIMIT })
          }
          return last
        },
      },
      {
        name: 'loops',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await inLoops(work)
          return last
        },
      },
      {
        name: 'promiseAll',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            const [one, two, three] = await Promise.all([a(), a(), a()])
            last = { one, two, three }
          }
          return last
        },
      },
      {
        name: 'object',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await parallel({ one: a, two: a, three: a })
          return last
        },
      },
    ],
    settings,
  )
  const perItem = (name: string) => median(timings[name] ?? []) / items.length
  const us = (name: string) => median(timings[name] ?? []) / 1000
  return [
    {
      id: 'parallel-map',
      samples: ratios(timings, 'map', 'pLimit'),
      parts: { nsPerItem: perItem('map'), pLimitNs: perItem('pLimit') },
    },
    {
      id: 'parallel-map-floor',
      samples: ratios(timings, 'loops', 'pLimit'),
      parts: { nsPerItem: perItem('loops') },
    },
    {
      id: 'parallel-object',
      samples: (timings.object ?? []).map((ns) => ns / 1000),
      parts: { promiseAllUs: us('promiseAll') },
    },
  ]
}

/** The least that can be called a map with a limit: nothing is cancelled, timed or told. */
async function inLoops(work: (item: number) => Promise<number>): Promise<number[]> {
  const results: number[] = []
  let next = 0
  const loop = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as number)
    }
  }
  await Promise.all(Array.from({ length: LIMIT }, loop))
  return results
}
