import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { expect, it } from 'vitest'

// The core of these tests runs a second time, as the project `redis-ioredis5`.
it('runs on the version of ioredis that its project names', () => {
  expect(Redis === (Redis5 as unknown)).toBe(process.env.RC_IOREDIS === '5')
})
