// The child process of one library in one variant: `child.ts <adapter> <variant> <settings as JSON>`.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { type Contender, timeInRounds } from '../harness/rounds.ts'
import { sampleValue, TTL_MS } from '../scenes/sample.ts'

interface Handle {
  fn(arg: unknown): unknown
  fill(arg: unknown): unknown
  peek?(arg: unknown): unknown
}

interface Adapter {
  readonly unsupported?: Readonly<Record<string, readonly string[]>>
  setup(options: object): Promise<Handle>
  teardown(handle: Handle): Promise<void>
}

const KEYS = 1000
const CALLERS = 100
const FAILING = 10

const [name, variant, json] = process.argv.slice(2) as [string, string, string]
const settings = JSON.parse(json)
const adapter = (await import(`./adapters/${name}.mjs`)) as Adapter
const isOut = (scene: string): boolean => adapter.unsupported?.[variant]?.includes(scene) ?? false

const value = sampleValue(1)
let calls = 0
const origin = async (_arg: unknown): Promise<unknown> => {
  calls++
  return value
}
const slowOrigin = async (_arg: unknown): Promise<unknown> => {
  calls++
  await new Promise((resolve) => setTimeout(resolve, 20))
  return value
}
const failingOrigin = async (_arg: unknown): Promise<never> => {
  calls++
  await new Promise((resolve) => setTimeout(resolve, 20))
  throw new Error('the origin fails')
}
const same = (arg: unknown): string => arg as string
const byHand = (arg: unknown): string => {
  const { tenant, id, locale } = arg as { tenant: string; id: number; locale: string }
  return `${tenant}:${id}:${locale}`
}

const figures: Record<string, number[]> = {}
await timeHits()
if (!isOut('miss')) await timeMisses()
if (!isOut('cold')) await countCold()
if (!isOut('failing')) await countFailing()
process.send?.(figures)
process.exit()

async function timeHits(): Promise<void> {
  const key = 'partner-12345678-5'
  const keys = Array.from({ length: KEYS }, (_, id) => `${12_000_000 + id}-5`)
  const query = { tenant: 'acme', id: 42, locale: 'es-CL' }
  const handles: Handle[] = []
  const open = async (more: object): Promise<Handle> => {
    const handle = await adapter.setup({ variant, ttlMs: TTL_MS, max: 10_000, origin, ...more })
    handles.push(handle)
    return handle
  }
  const lru = new LRUCache<string, object>({ max: 10_000, ttl: TTL_MS })
  lru.set(key, value)
  const plain = await open({ argKind: 'string', keyOf: same })
  for (const one of [key, ...keys]) await plain.fill(one)
  const byObject = await open({ argKind: 'object', keyOf: byHand })
  await byObject.fill(query)

  const contenders: Contender[] = [
    {
      name: 'reference',
      async run(count) {
        let last: unknown
        for (let i = 0; i < count; i++) last = await lru.get(key)
        return last
      },
    },
    {
      name: 'hit',
      async run(count) {
        let last: unknown
        for (let i = 0; i < count; i++) last = await plain.fn(key)
        return last
      },
    },
    {
      name: 'rotating',
      async run(count) {
        let last: unknown
        for (let i = 0; i < count; i++) last = await plain.fn(keys[i % KEYS])
        return last
      },
    },
    {
      name: 'object',
      async run(count) {
        let last: unknown
        for (let i = 0; i < count; i++) last = await byObject.fn(query)
        return last
      },
    },
  ]
  const { peek } = plain
  if (peek) {
    contenders.push({
      name: 'peek',
      run(count) {
        let last: unknown
        for (let i = 0; i < count; i++) last = peek(key)
        return last
      },
    })
  }
  if (!isOut('tags')) {
    const tagged = await open({ keyOf: same, tags: true, prefix: 'tagged' })
    await tagged.fill(key)
    contenders.push({
      name: 'tags',
      async run(count) {
        let last: unknown
        for (let i = 0; i < count; i++) last = await tagged.fn(key)
        return last
      },
    })
  }
  const before = calls
  Object.assign(figures, await timeInRounds(contenders, settings))
  if (calls !== before) throw new Error(`${name} called the origin ${calls - before} times on hits`)
  await Promise.all(handles.map((handle) => adapter.teardown(handle)))
}

/** One miss after another, with an origin that answers at once. */
async function timeMisses(): Promise<void> {
  const handle = await adapter.setup({ variant, ttlMs: TTL_MS, max: 1000, keyOf: same, origin })
  let next = 0
  const { miss } = await timeInRounds(
    [
      {
        name: 'miss',
        async run(count) {
          let last: unknown
          for (let i = 0; i < count; i++) last = await handle.fn(`k${next++}`)
          return last
        },
      },
    ],
    settings,
  )
  figures.miss = (miss ?? []).map((ns) => ns / 1000)
  await adapter.teardown(handle)
}

/** A hundred callers ask for one cold key at once; the origin takes 20 ms, which are not counted. */
async function countCold(): Promise<void> {
  const handle = await adapter.setup({
    variant,
    ttlMs: TTL_MS,
    max: 1000,
    keyOf: same,
    origin: slowOrigin,
  })
  const times: number[] = []
  const counted: number[] = []
  for (let round = 0; round < settings.bursts; round++) {
    calls = 0
    const start = performance.now()
    await Promise.all(Array.from({ length: CALLERS }, () => handle.fn(`cold-${round}`)))
    times.push((performance.now() - start - 20) * 1000)
    counted.push(calls)
    await nextTurn()
  }
  figures.cold = times
  figures.coldCalls = counted
  await adapter.teardown(handle)
}

/** Ten callers ask for one key whose origin fails after 20 ms. */
async function countFailing(): Promise<void> {
  const handle = await adapter.setup({
    variant,
    ttlMs: TTL_MS,
    max: 1000,
    keyOf: same,
    origin: failingOrigin,
  })
  calls = 0
  await Promise.allSettled(Array.from({ length: FAILING }, async () => handle.fn('failing')))
  figures.failingCalls = [calls]
  await adapter.teardown(handle)
}
