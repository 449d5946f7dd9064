import { describe, expectTypeOf, it } from 'vitest'
import { type BottleneckLimiter, bottleneckLimiter } from '../../src/bottleneck.ts'
import { background, type Runner } from '../../src/index.ts'

describe('bottleneckLimiter', () => {
  it('is a Runner', () => {
    const limit = bottleneckLimiter({ maxConcurrent: 5 }, { storeWait: '2s' })
    expectTypeOf(limit).toEqualTypeOf<BottleneckLimiter>()
    expectTypeOf(limit).toExtend<Runner>()
    expectTypeOf(limit(async () => 5)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(limit((signal) => signal, { priority: 2 })).toEqualTypeOf<Promise<AbortSignal>>()
    background({ guard: limit })
  })

  it('refuses what bottleneck would let pass in silence', () => {
    // @ts-expect-error a typing mistake
    bottleneckLimiter({ maxConcurent: 5 })
    // @ts-expect-error jobs would hang
    bottleneckLimiter({ rejectOnDrop: false })
  })
})
