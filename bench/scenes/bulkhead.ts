import { bulkhead as cockatielBulkhead } from 'cockatiel'
import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

/** A bulkhead with room, and one that is full, against cockatiel's. */
export const scene: Scene = async ({ library, settings }) => {
  const work = async (): Promise<number> => 1
  const free = library.bulkhead(10)
  const freeOther = cockatielBulkhead(10)
  const full = library.bulkhead(1)
  const fullOther = cockatielBulkhead(1)
  const forever = (): Promise<never> => new Promise(() => {})
  void full(forever)
  void fullOther.execute(forever)
  const nothing = (): void => {}

  const timings = await timeInRounds(
    [
      {
        name: 'cockatiel',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await freeOther.execute(work)
          return last
        },
      },
      {
        name: 'bulkhead',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await free(work)
          return last
        },
      },
      {
        name: 'cockatielFull',
        async run(count) {
          for (let i = 0; i < count; i++) await fullOther.execute(work).catch(nothing)
        },
      },
      {
        name: 'full',
        async run(count) {
          for (let i = 0; i < count; i++) await full(work).catch(nothing)
        },
      },
    ],
    settings,
  )
  const ns = (name: string) => median(timings[name] ?? [])
  return [
    {
      id: 'bulkhead',
      samples: ratios(timings, 'bulkhead', 'cockatiel'),
      parts: { ns: ns('bulkhead'), cockatielNs: ns('cockatiel') },
    },
    {
      id: 'bulkhead-full',
      samples: ratios(timings, 'full', 'cockatielFull'),
      parts: { ns: ns('full'), cockatielNs: ns('cockatielFull') },
    },
  ]
}
