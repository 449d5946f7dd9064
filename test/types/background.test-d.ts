import { describe, expectTypeOf, it } from 'vitest'
import {
  type BackgroundStats,
  background,
  type DrainResult,
  type ForeignLimiter,
  type Runner,
  type TaskHandle,
  type TaskInfo,
} from '../../src/index.ts'

declare const runner: Runner
declare const pLimit: ForeignLimiter

describe('background', () => {
  it('gives back what the task makes', () => {
    const jobs = background()
    expectTypeOf(jobs.run(async () => 5)).toEqualTypeOf<TaskHandle<number>>()
    expectTypeOf(jobs.run(() => 'text').done).toEqualTypeOf<Promise<string>>()
    expectTypeOf(jobs.run((signal) => signal).done).toEqualTypeOf<Promise<AbortSignal>>()
    expectTypeOf(jobs.run(() => {}).cancel()).toEqualTypeOf<boolean>()
    expectTypeOf(jobs.drain({ deadline: '5s' })).toEqualTypeOf<Promise<DrainResult>>()
    expectTypeOf(jobs.stats()).toEqualTypeOf<BackgroundStats>()
    expectTypeOf(jobs.depth).toEqualTypeOf<number>()
  })

  it('takes a Runner or another limiter as guard', () => {
    background({ guard: runner })
    background({ guard: pLimit })
    // @ts-expect-error a number is neither
    background({ guard: 5 })
  })

  it('types what its listeners are told', () => {
    const jobs = background({
      onError: (error, task) => {
        expectTypeOf(error).toBeUnknown()
        expectTypeOf(task).toEqualTypeOf<TaskInfo>()
      },
    })
    jobs.on('drain', (result) => expectTypeOf(result).toEqualTypeOf<DrainResult>())
    jobs.on('start', (task) => expectTypeOf(task).toEqualTypeOf<TaskInfo>())
    // @ts-expect-error there is no such event
    jobs.on('finish', () => {})
  })

  it('refuses options that do not exist', () => {
    // @ts-expect-error it is `delay`
    background().run(() => 1, { delayMs: 5 })
    // @ts-expect-error no such policy
    background({ queue: { overflow: 'drop' } })
    // @ts-expect-error a promise has begun already: waitUntil()
    background().run(Promise.resolve(1))
  })

  it('can be used with `await using`', () => {
    expectTypeOf(background()).toExtend<AsyncDisposable>()
  })
})
