// A process that wants more than its limiter lets through: `worker.ts <port> <callers> <rate> <burst>`.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { perSecond } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'

const [port, callers, rate, burst] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
]
const redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null })
redis.on('error', () => {})
const limiter = rateLimiter({
  name: 'processes',
  limits: { requests: perSecond(rate, { burst }) },
  distributed: { redis, instances: 3 },
})

/** When each call was let through, by a clock that all processes share. */
const times: number[] = []
let isOver = false
let errors = 0

async function call(): Promise<void> {
  while (!isOver) {
    try {
      await limiter(() => times.push(Date.now()))
    } catch {
      errors++
      await sleep(20)
    }
  }
}

process.on('message', async (message) => {
  if (message === 'start') for (let i = 0; i < callers; i++) void call()
  if (message !== 'stop') return
  isOver = true
  await limiter.drain()
  process.send?.({ times, errors, shared: limiter.stats().shared })
  limiter.close()
  redis.disconnect()
  process.disconnect()
})
process.send?.('ready')
