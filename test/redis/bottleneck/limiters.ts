import Bottleneck from 'bottleneck'
import { Redis } from 'ioredis'
import { afterEach } from 'vitest'
import { bottleneckLimiter } from '../../../src/adapters/bottleneck/bottleneck-limiter.ts'
import type {
  BottleneckHardening,
  BottleneckOptions,
} from '../../../src/adapters/bottleneck/limiter-options.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export async function server(): Promise<RedisProcess> {
  const started = await startServer()
  closers.push(() => started.stop())
  return started
}

const storeOf = ({ port }: RedisProcess) => ({
  datastore: 'ioredis',
  Redis,
  clientOptions: { host: '127.0.0.1', port },
})

/** bottleneck as it comes. */
export function raw(redis: RedisProcess, options: Bottleneck.ConstructorOptions): Bottleneck {
  const limiter = new Bottleneck({ ...storeOf(redis), ...options })
  limiter.on('error', () => {})
  limiter.ready().catch(() => {})
  closers.push(() => limiter.disconnect(false))
  return limiter
}

/** Ours, on the same store. */
export function hardened(
  redis: RedisProcess,
  options: BottleneckOptions,
  hardening: BottleneckHardening = {},
) {
  const limiter = bottleneckLimiter({ ...storeOf(redis), ...options }, hardening)
  closers.push(() => limiter.close())
  return limiter
}

/** What a promise has come to after `ms`. */
export async function endOf(ms: number, promise: Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('pending'), ms)
  })
  const settled = promise.then(
    () => 'done',
    (error: Error) => error.message,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))
