import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { operations, worlds } from './operations.ts'
import { PROPERTY_TIMEOUT_MS, runSettings } from './settings.ts'
import { simulate } from './simulate.ts'

const rejections: unknown[] = []
const note = (error: unknown): void => void rejections.push(error)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

it(
  'serves nothing invalidated, nothing too old, loads once, counts right and leaves nothing behind',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        operations,
        fc.scheduler(),
        fc.nat(),
        async (world, list, scheduler, seed) => {
          await simulate({ world, operations: list, scheduler, seed })
          expect(rejections).toEqual([])
        },
      ),
      runSettings(4000),
    )
  },
  PROPERTY_TIMEOUT_MS,
)
