import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type Original from 'dataloader'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DataLoader } from '../../src/batching/data-loader.ts'

const TheOriginal = createRequire(import.meta.url)('dataloader') as typeof Original

type Make = (
  batch: (keys: readonly number[]) => unknown,
  options: unknown,
) => {
  load(key: number): Promise<unknown>
  loadMany(keys: number[]): Promise<unknown[]>
  clear(key: number): unknown
  clearAll(): unknown
  prime(key: number, value: unknown): unknown
}

const ours: Make = (batch, options) => new DataLoader(batch as never, options as never)
const original: Make = (batch, options) => new TheOriginal(batch as never, options as never)

const key = fc.integer({ min: 0, max: 6 })
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('load'), key, depth: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('many'), keys: fc.array(key) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('clear'), key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clearAll') }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('prime'), key, fails: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('turn') }) },
)
const options = fc.record(
  {
    batch: fc.boolean(),
    cache: fc.boolean(),
    maxBatchSize: fc.integer({ min: 1, max: 4 }),
    modulo: fc.integer({ min: 2, max: 5 }),
  },
  { requiredKeys: [] },
)
const ANSWERS = [
  'values',
  'values',
  'values',
  'own error',
  'throws',
  'rejects',
  'short',
  'text',
  'none',
]
const answers = fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 6 })

interface Step {
  op: string
  key?: number
  keys?: number[]
  depth?: number
  fails?: boolean
}

/** What an answer of the batch function looks like; the same for both. */
function answer(kind: string, keys: readonly number[]): unknown {
  if (kind === 'throws') throw new Error('thrown at once')
  if (kind === 'none') return undefined
  if (kind === 'rejects') return Promise.reject(new Error('rejected'))
  if (kind === 'text') return Promise.resolve('no array')
  if (kind === 'short') return Promise.resolve(keys.slice(1))
  const isOwn = (one: number): boolean => kind === 'own error' && one % 2 === 1
  return Promise.resolve(keys.map((one) => (isOwn(one) ? new Error(`own ${one}`) : `v${one}`)))
}

async function run(make: Make, steps: Step[], given: Record<string, unknown>, kinds: string[]) {
  const log: string[] = []
  let calls = 0
  const { modulo, ...rest } = given
  const loader = make(
    (keys) => {
      log.push(`batch ${keys.join()}`)
      return answer(kinds[calls++ % kinds.length] as string, keys)
    },
    modulo === undefined
      ? rest
      : { ...rest, cacheKeyFn: (one: number) => one % (modulo as number) },
  )
  const pending: Promise<void>[] = []
  const told = (what: string, outcome: Promise<unknown>): void => {
    const end = outcome.then(
      (value) => void log.push(`${what} = ${String(value)}`),
      (error: Error) => void log.push(`${what} ! ${error.name} ${error.message}`),
    )
    pending.push(end)
  }
  const loadAt = async (at: number, depth: number): Promise<unknown> => {
    for (let turn = 0; turn < depth; turn++) await null
    return loader.load(at)
  }
  const acts: Record<string, (one: Step, place: number) => unknown> = {
    turn: () => nextTurn(),
    clear: ({ key: at }) => void loader.clear(at as number),
    clearAll: () => void loader.clearAll(),
    prime: ({ key: at, fails }, place) =>
      void loader.prime(at as number, fails ? new Error('primed') : `p${place}`),
    many: ({ keys }, place) => told(`${place}: many`, loader.loadMany(keys ?? [])),
    load: ({ key: at, depth }, place) =>
      told(
        `${place}: load ${at}`,
        depth === 0 ? loader.load(at as number) : loadAt(at as number, depth as number),
      ),
  }
  for (const [place, one] of steps.entries()) {
    const turn = acts[one.op]?.(one, place)
    // Waiting for anything else would move what follows to another place among the promise jobs.
    if (turn !== undefined) await turn
  }
  await Promise.all(pending)
  return log
}

describe('DataLoader and graphql/dataloader 2.2.3', () => {
  it('make the same batches, outcomes and messages, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), options, answers, async (...program) => {
        const [steps, given, kinds] = program
        expect(await run(ours, steps, given, kinds)).toEqual(
          await run(original, steps, given, kinds),
        )
      }),
      { numRuns: 1500 },
    )
  })

  it.each([
    ['no function', undefined, undefined],
    ['text', 'SELECT', undefined],
    ['batch size', async () => [], { maxBatchSize: 0 }],
    ['batch size', async () => [], { maxBatchSize: '2' }],
    ['batch size', async () => [], { maxBatchSize: null }],
    ['schedule', async () => [], { batchScheduleFn: 5 }],
    ['schedule', async () => [], { batchScheduleFn: null }],
    ['key function', async () => [], { cacheKeyFn: 'id' }],
    ['cache map', async () => [], { cacheMap: {} }],
    ['cache map', async () => [], { cacheMap: { get() {}, set() {} } }],
    ['cache map', async () => [], { cacheMap: false }],
  ])('refuse the same at their making: %s', (_, batch, given) => {
    expect(failure(() => ours(batch as never, given))).toEqual(
      failure(() => original(batch as never, given)),
    )
  })

  it.each([null, undefined])('refuse the key %s in the same words', (wrong) => {
    const messages = [ours, original].map((make) => {
      const loader = make(async () => [], undefined)
      return failure(() => loader.load(wrong as never))
    })
    expect(messages[0]).toEqual(messages[1])
    expect(messages[0]).toMatch(/^TypeError: The loader.load\(\) function must be called/)
  })

  it.each([null, 5, 'abc', { length: 2 }])('refuse loadMany(%j) in the same words', (wrong) => {
    const messages = [ours, original].map((make) => {
      const loader = make(async () => [], undefined)
      return failure(() => loader.loadMany(wrong as never))
    })
    expect(messages[0]).toEqual(messages[1])
    expect(messages[0]).toContain('TypeError')
  })
})

function failure(act: () => unknown): string {
  try {
    act()
    return 'none'
  } catch (error) {
    return String(error)
  }
}
