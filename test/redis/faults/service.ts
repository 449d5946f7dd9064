import { redis } from '../../../src/adapters/redis/ioredis/redis-store.ts'
import { type CacheOptions, createCache } from '../../../src/index.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import type { Bed } from './fixture.ts'

type RedisOptions = Parameters<typeof redis>[0]

/** What there is to load: a version of each id, which only grows. */
export class Truth {
  readonly #versions = new Map<string, number>()
  /** Origin calls, by id. */
  readonly calls = new Map<string, number>()
  /** How long an origin call takes. */
  delayMs = 0

  versionOf(id: string): number {
    return this.#versions.get(id) ?? 1
  }

  change(id: string): number {
    const version = this.versionOf(id) + 1
    this.#versions.set(id, version)
    return version
  }

  callsOf(id: string): number {
    return this.calls.get(id) ?? 0
  }

  async load(id: string): Promise<string> {
    this.calls.set(id, this.callsOf(id) + 1)
    const version = this.versionOf(id)
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs))
    return `${id}@${version}`
  }
}

export type Service = ReturnType<typeof startService>

/**
 * A process of the service, as far as its cache goes. Its deadline is long, since the machine of the
 * tests may be busy: tests about the deadline say which.
 */
export function startService(
  bed: Bed,
  l2: RedisOptions,
  truth: Truth,
  options: Omit<CacheOptions, 'l2'> = {},
) {
  const cache = createCache({
    name: 'faults',
    ttl: '10m',
    refreshAhead: false,
    ...options,
    l2: redis({ timeout: '1s', ...l2 }),
  })
  bed.after(() => cache.close({ deadline: '1s' }))
  const get = cache.cached((id: string) => truth.load(id), {
    name: 'fn',
    tags: (id) => [`tag:${id}`],
  })
  const errors: { kind: string; text: string }[] = []
  const seen = { gaps: 0, degraded: [] as boolean[], states: [] as string[] }
  cache.on('error', ({ kind, error }) => errors.push({ kind, text: textOf(error) }))
  cache.on('gap', () => {
    seen.gaps++
  })
  cache.on('degraded', ({ degraded }) => seen.degraded.push(degraded))
  cache.on('l2-state', ({ state }) => seen.states.push(state))
  return {
    cache,
    get,
    truth,
    errors,
    seen,
    l2: () => cache.health().l2,
    /** Where the value came from, and how long it took. */
    async ask(id: string) {
      const start = performance.now()
      const { value, source } = await get.detail(id)
      return { value, source, ms: performance.now() - start }
    },
    usable: () =>
      until('L2 is usable', () => {
        const { state, breaker, readOnly } = cache.health().l2
        return (
          state === 'ready' && breaker.read === 'closed' && breaker.write === 'closed' && !readOnly
        )
      }),
    /** Loads an id, and waits until L2 has it. */
    async store(id: string, server: RedisProcess) {
      const value = await get(id)
      await until(`${id} is in L2`, async () => {
        const [key] = await keysOf(server, 'e', id)
        return key !== undefined
      })
      return value
    },
  }
}

/** All keys of the cache in Redis of one kind: `e` entries, `l` leases, `t` stamps, `q` sequence. */
export async function keysOf(server: RedisProcess, kind: string, part = ''): Promise<string[]> {
  const keys = await server.cli<string[]>('KEYS', `rc:{faults*}:${kind}*`)
  return keys.filter((key) => key.includes(part))
}

/** An error and its causes as one text. */
function textOf(error: unknown): string {
  const texts: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) texts.push(cause.message)
  return texts.join(' <- ')
}
