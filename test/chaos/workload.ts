import { type Cache, createCache, type Store } from '../../src/index.ts'
import { seededRandom } from '../../src/kernel/seeded-random.ts'
import type { ChaosStore } from '../../src/testing/chaos-store.ts'
import type { FakeClock } from '../../src/testing/fake-clock.ts'
import type { HeldLeases } from './watched-store.ts'

const KEYS = 40
/** A lease whose holder is gone, or whose return was lost, and the poll that finds it free. */
const LEASE_MS = 5500
/** The longest pause of one that waits for a lease; who joins it has not seen the lease itself. */
const POLL_MS = 600

export interface Value {
  readonly key: number
  readonly version: number
  readonly text: string
}

/** What must stay empty. */
export interface Findings {
  readonly escaped: unknown[]
  readonly wrong: string[]
  readonly slow: string[]
}

export interface Workload extends Findings {
  readonly cache: Cache
  /** One random read or write; resolves when it has been answered. */
  step(): Promise<void>
}

export interface WorkloadOptions {
  readonly store: Store
  readonly seed: number
  /** On the real clock where it is absent: latencies are not looked at then. */
  readonly clock?: FakeClock
  /** Excuses who waits because another load seems to be under way. */
  readonly leases?: HeldLeases
}

/**
 * Random reads and writes of keys whose values carry their key and version. A value is wrong that has
 * another key, a version that never was, or one that this process had invalidated before it asked.
 */
export function workload({ store, seed, clock, leases }: WorkloadOptions): Workload {
  const random = seededRandom(seed)
  const findings: Findings = { escaped: [], wrong: [], slow: [] }
  const newest = new Map<number, number>()
  const versionOf = (key: number): number => newest.get(key) ?? 0
  const cache = createCache({
    name: 'chaos',
    l2: store,
    ttl: '2s',
    grace: '10s',
    l1: { ttl: '300ms', maxEntries: 30 },
    random,
    ...(clock ? { clock } : {}),
  })
  const make = (key: number): Value => ({
    key,
    version: versionOf(key),
    text: `${key}`.repeat(key * 10),
  })
  const fn = cache.cached(async (key: number) => make(key), {
    name: 'fn',
    tags: (key) => [`tag${key % 5}`],
  })

  function check(key: number, value: Value | undefined, floor: number): void {
    if (value === undefined) return
    const right =
      value.key === key &&
      value.version >= floor &&
      value.version <= versionOf(key) &&
      value.text === `${key}`.repeat(key * 10)
    if (!right) findings.wrong.push(`${JSON.stringify(value)} for ${key}, oldest right ${floor}`)
  }

  async function read(key: number): Promise<void> {
    const floor = versionOf(key)
    const startedAt = clock?.now() ?? 0
    const keys = random() < 0.2 ? [key, (key + 1) % KEYS, (key + 7) % KEYS] : [key]
    if (keys.length > 1) {
      const floors = keys.map(versionOf)
      const values = await fn.many(keys.map((one): [number] => [one]))
      values.forEach((value, i) => {
        check(keys[i] as number, value, floors[i] as number)
      })
    } else if (random() < 0.5) check(key, (await fn.detail(key)).value, floor)
    else check(key, await fn(key), floor)
    const took = (clock?.now() ?? 0) - startedAt
    const waitedForLease = keys.some((one) => leases?.heldSince(fn.key(one), startedAt - POLL_MS))
    const bound = store.timeoutMs + (waitedForLease ? LEASE_MS : 0)
    if (took > bound) findings.slow.push(`a read took ${took} ms, at most ${bound} were right`)
  }

  async function write(key: number): Promise<void> {
    const draw = random()
    if (draw < 0.1) {
      for (let other = key % 5; other < KEYS; other += 5) newest.set(other, versionOf(other) + 1)
      await cache.invalidateTag(`tag${key % 5}`)
      return
    }
    newest.set(key, versionOf(key) + 1)
    if (draw < 0.6) await fn.invalidate(key)
    else await fn.set([key], make(key))
  }

  return {
    ...findings,
    cache,
    async step() {
      const key = Math.floor(random() * KEYS)
      try {
        await (random() < 0.85 ? read(key) : write(key))
      } catch (error) {
        findings.escaped.push(error)
      }
    },
  }
}

/** All faults at once, each this often. */
export function allFaults(rate: number): Parameters<ChaosStore['set']>[0] {
  return { throws: rate, hangs: rate, late: rate, corrupts: rate }
}
