import { Redis } from 'ioredis'
import type { BusMessage, Store } from '../../../src/contracts/store.ts'
import { type Cache, createCache } from '../../../src/index.ts'
import { redis } from '../../../src/redis.ts'
import type {
  Answer,
  Asked,
  BurstFigures,
  Messages,
  Place,
  Question,
  Staleness,
} from './questions.ts'

// The program that runs in each process of these tests: a cache over a Redis that all of them share.

let cache: Cache
let truth: Redis | undefined
let messages: Messages = {}

/** Ten processes on fewer cores answer none of their callers in 50 ms, whatever Redis does. */
const TIMEOUT = '5s' as const

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** Of the machine, so that processes can be compared. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Notes when this process is told of something, in the turn in which L1 has it. */
function noting(store: Store): Store {
  return {
    ...store,
    open: (context) =>
      store.open({
        ...context,
        onMessage(message: BusMessage) {
          context.onMessage?.(message)
          messages[message.kind] ??= []
          messages[message.kind]?.push(now())
        },
      }),
  }
}

async function open({ name, url, cluster, truthUrl }: Place): Promise<void> {
  await cache?.close()
  messages = {}
  if (truthUrl !== undefined) truth ??= new Redis(truthUrl)
  const place = { timeout: TIMEOUT, ...(cluster ? { cluster } : { url: url as string }) }
  cache = createCache({ name, l2: noting(redis(place)), ttl: '5m', grace: 0 })
  await cache.ready({ timeout: '10s', strict: true })
}

/** Many callers of one key at one instant. */
async function burst(asked: Asked): Promise<BurstFigures> {
  const { key, callers, at, originMs, outcome } = asked
  let calls = 0
  const origin = async (): Promise<string> => {
    calls++
    if (asked.tellsOrigin) process.send?.({ event: 'origin' })
    await wait(originMs)
    if (outcome === 'failure') {
      throw Object.assign(new RangeError('no such partner'), { code: 'E_PARTNER' })
    }
    return `${key} by ${process.pid}`
  }
  const options = outcome === 'uncached' ? { cacheIf: () => false } : {}
  await wait(at - Date.now())
  const times: number[] = []
  const answers = new Set<string>()
  const began = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      const start = performance.now()
      try {
        answers.add(await cache.getOrSet(key, origin, options))
      } catch (error) {
        const { name, message, code } = error as Error & { code?: string }
        answers.add(`${name}: ${message} (${code})`)
      }
      times.push(performance.now() - start)
    }),
  )
  return { calls, answers: [...answers], times, tookMs: performance.now() - began }
}

/** One change after another; to the instants in which they began. */
async function change({ rounds, kind }: { rounds: number; kind: string }): Promise<number[]> {
  const begun: number[] = []
  for (let round = 0; round < rounds; round++) {
    begun.push(now())
    if (kind === 'write') await cache.set(`set-${round % 50}`, round, { tags: ['t'] })
    else if (kind === 'delete') await cache.delete(`set-${round % 50}`)
    else await cache.invalidateTag('t')
    await wait(2)
  }
  return begun
}

const read = (key: string): Promise<string> =>
  cache.getOrSet(key, async () => (await truth?.get(`truth:${key}`)) ?? 'none', { tags: [key] })

/** Reads until every key has the value; to how long an old one was served after `since`. */
async function watch({
  keys,
  value,
  since,
}: Staleness): Promise<{ staleMs: number; lagMs: number }> {
  let staleMs = 0
  let lagMs = 0
  for (let last = now(); now() - since < 5000; ) {
    const start = now()
    lagMs = Math.max(lagMs, start - last - 10)
    const values = await Promise.all(keys.map(read))
    if (values.every((one) => one === value)) return { staleMs, lagMs }
    staleMs = start - since
    last = now()
    await wait(10)
  }
  return { staleMs, lagMs }
}

/** Changes what the origin has and tells the cache; to when that was acknowledged. */
async function invalidate(asked: Staleness & { kind: string }): Promise<number> {
  const { keys, value, kind } = asked
  await Promise.all(keys.map((key) => truth?.set(`truth:${key}`, value)))
  const done = await Promise.all(
    keys.map((key) => {
      if (kind === 'write') return cache.set(key, value, { tags: [key] })
      return kind === 'delete' ? cache.delete(key) : cache.invalidateTag(key)
    }),
  )
  if (!done.every(({ durable }) => durable)) throw new Error('it was not acknowledged')
  return now()
}

const actions: Record<string, (input: never) => unknown> = {
  open,
  burst,
  change,
  watch,
  invalidate,
  fill: ({ keys }: { keys: string[] }) => Promise.all(keys.map(read)),
  messages: () => messages,
  health: () => cache.health().l2,
  exit: () => Promise.all([cache?.close(), truth?.quit()]).then(() => process.disconnect()),
}

process.on('message', async ({ id, action, input }: Question) => {
  const answer: Answer = await Promise.resolve()
    .then(() => actions[action]?.(input as never))
    .then(
      (result) => ({ id, result }),
      (error: Error) => ({ id, error: error.stack ?? String(error) }),
    )
  if (process.connected) process.send?.(answer)
})
