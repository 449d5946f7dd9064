import DataLoader from 'dataloader'
import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const KEYS = Array.from({ length: 100 }, (_, id) => id)
/** A batch of 100 takes some 20 µs: shorter slices would hold too few of them. */
const SLICE_MS = 3

/**
 * Requests of 100 unique keys, a request scope of its own for each, and hits in a request. The
 * reference is graphql/dataloader, with a new instance for each request as its documentation asks for.
 */
export const scene: Scene = async ({ library, settings }) => {
  const { DataLoader: DropIn, loader, requestScope } = library
  const batch = async (keys: readonly number[]): Promise<readonly number[]> => keys
  const ours = loader(batch)
  const uncached = loader(batch, { cache: false })
  const uncachedReference = new DataLoader(batch, { cache: false })
  const hot = new DataLoader(batch)

  const timings = await timeInRounds(
    [
      {
        name: 'reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            const request = new DataLoader(batch)
            const loads: unknown[] = []
            for (const key of KEYS) loads.push(request.load(key))
            last = await Promise.all(loads)
          }
          return last
        },
      },
      {
        name: 'batch',
        async run(count) {
          let last: unknown
          const request = (): unknown => {
            const loads: unknown[] = []
            for (const key of KEYS) loads.push(ours.load(key))
            return Promise.all(loads)
          }
          for (let i = 0; i < count; i++) last = await requestScope(request)
          return last
        },
      },
      {
        name: 'drop-in',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) {
            const request = new DropIn(batch)
            const loads: unknown[] = []
            for (const key of KEYS) loads.push(request.load(key))
            last = await Promise.all(loads)
          }
          return last
        },
      },
      {
        name: 'single-reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await uncachedReference.load(i)
          return last
        },
      },
      {
        name: 'single',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await uncached.load(i)
          return last
        },
      },
      {
        name: 'hit-reference',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await hot.load(1)
          return last
        },
      },
      {
        name: 'hit',
        run: (count) =>
          requestScope(async () => {
            let last: unknown
            for (let i = 0; i < count; i++) last = await ours.load(1)
            return last
          }),
      },
    ],
    { ...settings, sliceMs: SLICE_MS },
  )
  const figure = (id: string, subject: string, reference: string) => ({
    id,
    samples: ratios(timings, subject, reference),
    parts: { ns: median(timings[subject] ?? []), referenceNs: median(timings[reference] ?? []) },
  })
  return [
    figure('loader-batch', 'batch', 'reference'),
    figure('loader-hit', 'hit', 'hit-reference'),
    figure('loader-drop-in', 'drop-in', 'reference'),
    figure('loader-single', 'single', 'single-reference'),
  ]
}
