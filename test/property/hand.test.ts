import fc from 'fast-check'
import { it } from 'vitest'
import { simulate } from './simulate.ts'

it('hand', async () => {
  const world = {
    focus: 0,
    nodes: 2,
    withL2: true,
    bus: false,
    ttl: 2000,
    grace: 0,
    softTimeout: 0,
    hardTimeout: 3000,
    completeInBackground: false,
    refreshAhead: false,
    errorTtl: 0,
    l1Ttl: 100,
    manyOrigin: false,
    maxLoads: undefined,
  } as const
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      await simulate({
        world,
        scheduler,
        seed: 1,
        operations: [
          { type: 'origin', cell: 0, behaviour: 'held' },
          { type: 'read', node: 1, cell: 0, how: 'detail' },
          { type: 'advance', ms: 10 },
          { type: 'write', node: 0, cell: 0, how: 'invalidate' },
          { type: 'advance', ms: 450 },
          { type: 'answer' },
          { type: 'advance', ms: 10 },
          { type: 'read', node: 1, cell: 0, how: 'detail' },
          { type: 'advance', ms: 10 },
        ],
      })
    }),
    { numRuns: 1 },
  )
})
