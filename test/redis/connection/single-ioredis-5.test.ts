import { Redis } from 'ioredis'
import { expect, it, vi } from 'vitest'
import { singleBehaviours } from './single-behaviours.ts'

vi.mock('ioredis', () => import('ioredis-5'))

it('runs on the older client', async () => {
  const { Redis: Redis5 } = await import('ioredis-5')
  expect(Redis).toBe(Redis5)
})

singleBehaviours()
