import { describe, expect, it } from 'vitest'
import { type FunctionOptions, memory, type Store } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, watch } from '../read-path/fixture.ts'

endWorldsAfterEach()

/** A shared store that tells nobody of writes: what a process does is seen when L2 is read. */
function withoutBus(store: Store): Store {
  const { source, supports, timeoutMs } = store
  return {
    source,
    supports,
    timeoutMs,
    coherence: 'ttl-only',
    open: ({ onMessage: _, ...context }) => store.open(context),
  }
}

/** Two processes; the first has loaded and both have the value in L1, now stale and in its grace. */
async function twoWithStaleCopies(options: FunctionOptions<[id?: string], string> = {}) {
  const world = aWorld()
  const chaos = chaosStore(memory())
  const process = () => {
    const origin = new Origin(() => 'old')
    const cache = world.cache({ l2: withoutBus(chaos), grace: '1h' })
    const get = cache.cached(origin.load, { name: 'fn', tags: (id) => [`id:${id}`], ...options })
    return { origin, cache, get }
  }
  const one = process()
  const other = process()
  await one.get('a')
  await settle()
  await other.get('a')
  await world.clock.advance('11s')
  for (const { origin } of [one, other]) origin.hold()
  return { clock: world.clock, chaos, one, other }
}

describe('a stale copy whose L1 ttl has passed', () => {
  it('is served at once when L2 still has the entry', async () => {
    const { other } = await twoWithStaleCopies()
    const read = watch(other.get.detail('a'))
    await settle()
    expect(read.value).toMatchObject({ value: 'old', source: 'stale' })
  })

  it.each([
    ['invalidate', ({ get }) => get.invalidate('a')],
    ['invalidateTag', ({ cache }) => cache.invalidateTag('id:a')],
    ['clear', ({ cache }) => cache.clear()],
  ] as Array<
    [string, (process: Awaited<ReturnType<typeof twoWithStaleCopies>>['one']) => Promise<unknown>]
  >)('is not served after %s in another process', async (_, invalidate) => {
    const { one, other } = await twoWithStaleCopies()
    await invalidate(one)
    const read = watch(other.get('a'))
    await settle()
    expect(read.state).toBe('pending')
    await other.origin.answer('new')
    expect(read.value).toBe('new')
  })

  it('is not served after an invalidation elsewhere even when the origin fails', async () => {
    const { one, other } = await twoWithStaleCopies()
    await one.get.invalidate('a')
    const read = watch(other.get('a'))
    await settle()
    await other.origin.fail(new Error('down'))
    expect(read.error).toMatchObject({ message: 'down' })
  })

  it('is served when L2 cannot be asked', async () => {
    const { chaos, clock, other } = await twoWithStaleCopies()
    chaos.set({ hangs: 1 })
    const read = watch(other.get.detail('a'))
    await clock.advance(50)
    expect(read.value).toMatchObject({ value: 'old', source: 'stale' })
  })

  it('is compared with L2 once, and then not again before another L1 ttl', async () => {
    const { other, chaos } = await twoWithStaleCopies()
    await other.get('a')
    await settle()
    chaos.set({ hangs: 1 })
    const read = watch(other.get('a'))
    await settle()
    expect(read.value).toBe('old')
  })

  it('waits for softTimeout, not less and not more', async () => {
    const { clock, other } = await twoWithStaleCopies({ softTimeout: '200ms' })
    const read = watch(other.get('a'))
    await clock.advance(199)
    expect(read.state).toBe('pending')
    await clock.advance(1)
    expect(read.value).toBe('old')
  })
})

describe('a load that has run into its hardTimeout', () => {
  it('gives its lease back, so that another process need not wait for it', async () => {
    const world = aWorld()
    const store = memory()
    const process = (origin: Origin) =>
      world.cache({ l2: store, hardTimeout: '1s' }).cached(origin.load, { name: 'fn' })
    const hanging = process(new Origin())
    const quick = process(new Origin(() => 'value'))
    const first = watch(hanging('a'))
    await world.clock.advance('1s')
    expect(first.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    const second = watch(quick('a'))
    await settle()
    expect(second.value).toBe('value')
  })
})
