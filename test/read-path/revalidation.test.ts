import { describe, expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { altered } from '../l2/altered-store.ts'
import { endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'
import { type LoadOptions, type Process, someProcesses, watched, withoutBus } from './processes.ts'

endWorldsAfterEach()

const L1 = { l1: { ttl: '1s' } } as const
const LONG = 'long '.repeat(20)

/** A process that has a copy whose time in L1 is over, and what it then asks of its store. */
async function withOldCopy(
  options: LoadOptions = {},
  see: (store: Store) => Store = (store) => store,
  shared: Store & { lose?: () => void } = memory(),
) {
  const { clock, start } = someProcesses(options, shared)
  const { seen, store } = watched(see(shared))
  const one = start(() => store, L1)
  one.origin.replyWith(() => LONG)
  await one.get('a')
  await clock.advance('1s')
  seen.reads = 0
  seen.bytes.length = 0
  return { clock, one, start, seen }
}

function copies(one: Process) {
  return one.get.detail('a')
}

describe('a copy that has to be compared with L2', () => {
  it('is confirmed by the head of the record alone, and is as good as a new one', async () => {
    const { clock, one, seen } = await withOldCopy()
    expect(one.get.peek('a')).toBeUndefined()
    expect(await copies(one)).toMatchObject({ source: 'l1', outcome: 'revalidated', ageMs: 1000 })
    expect(seen).toMatchObject({ reads: 1, bytes: [64] })
    await clock.advance('900ms')
    expect(one.get.peek('a')).toBe(LONG)
    expect(one.get('a'), 'it is on the fast path').toBe(one.get('a'))
    expect(await copies(one)).toMatchObject({ outcome: 'hit' })
    expect([seen.reads, one.origin.count]).toEqual([1, 1])
    await clock.advance('9s')
    expect(await copies(one)).toMatchObject({ outcome: 'loaded' })
  })

  it('is confirmed where it came from L2, too', async () => {
    const { clock, start } = await withOldCopy()
    const { seen, store } = watched(start().line)
    const other = start(() => store, L1)
    expect(await copies(other)).toMatchObject({ outcome: 'promoted', value: LONG })
    await clock.advance('1s')
    seen.bytes.length = 0
    expect(await copies(other)).toMatchObject({ outcome: 'revalidated', value: LONG })
    expect(seen.bytes).toEqual([64])
  })

  it('is confirmed where a store sends everything all the same', async () => {
    const ignorant = (store: Store): Store =>
      altered(store, (session) => ({ read: ({ known: _, ...rest }) => session.read(rest) }))
    const { one, seen } = await withOldCopy({}, ignorant)
    expect(await copies(one)).toMatchObject({ outcome: 'revalidated', value: LONG })
    expect(seen.bytes[0]).toBeGreaterThan(64)
  })

  it('is confirmed with the stamps of the tags that only its origin knew, in one read', async () => {
    const { clock, world } = someProcesses()
    const { seen, store } = watched(memory())
    const cache = world.cache({ l2: store, ...L1 })
    const origin = new Origin(() => 'value')
    const get = cache.cached(
      (context, id: string) => {
        context.setTags([`found:${id}`])
        return origin.load(id)
      },
      { name: 'fn', context: true },
    )
    await get('a')
    await clock.advance('1s')
    seen.reads = 0
    expect(await get.detail('a')).toMatchObject({ outcome: 'revalidated' })
    expect([seen.reads, origin.count]).toEqual([1, 1])
  })

  it('counts as a hit of L1', async () => {
    const { one } = await withOldCopy()
    await copies(one)
    expect(one.get.stats()).toMatchObject({ hits: { l1: 1, l2: 0 }, misses: 1 })
  })

  it('is replaced by what another process has stored', async () => {
    const { one, start } = await withOldCopy({}, withoutBus)
    await start().get.set(['a'], 'newer')
    expect(await copies(one)).toMatchObject({ value: 'newer', outcome: 'promoted' })
  })

  it.each([
    ['invalidateTag', (p: Process) => p.cache.invalidateTag('id:a')],
    ['expireTag', (p: Process) => p.cache.expireTag('id:a')],
    ['clear', (p: Process) => p.cache.clear()],
    ['clear of the function', (p: Process) => p.get.clear()],
  ] as const)('is not confirmed after a %s of which no message came', async (_, act) => {
    const { one, start } = await withOldCopy({}, withoutBus)
    await act(start())
    one.origin.replyWith(() => 'new')
    expect(await copies(one)).toMatchObject({ value: 'new', outcome: 'loaded' })
  })

  it('is stale after a soft invalidation of which no message came', async () => {
    const { one, start } = await withOldCopy({ grace: '1h' }, withoutBus)
    await start().cache.expireTag('id:a')
    one.origin.replyWith(() => 'new')
    expect(await copies(one)).toMatchObject({ value: LONG, outcome: 'stale-while-revalidate' })
    await settle()
    expect(await copies(one)).toMatchObject({ value: 'new', outcome: 'hit' })
  })

  it('is not confirmed after an invalidation here that L2 has not heard of', async () => {
    const { one } = await withOldCopy()
    one.line.set({ hangs: 1 })
    void one.cache.invalidateTag('id:a')
    one.line.set({ hangs: 0 })
    one.origin.replyWith(() => 'new')
    expect((await copies(one)).value).toBe('new')
  })

  it('is not confirmed by a record of the same number in another sequence', async () => {
    const shared = memory()
    const { one, start, seen } = await withOldCopy({}, withoutBus, shared)
    shared.lose()
    const other = start()
    other.origin.replyWith(() => 'of the new sequence')
    await other.get('a')
    await settle()
    expect(await copies(one)).toMatchObject({ value: 'of the new sequence' })
    expect(seen.bytes[0], 'the numbers are the same').toBe(64)
  })

  it('is not confirmed by a head that was damaged: the whole record is read', async () => {
    for (const at of [0, 13, 17, 37, 46, 62]) {
      let isDamaged = false
      const damaging = (store: Store): Store =>
        altered(store, (session) => ({
          async read(request) {
            const reply = await session.read(request)
            if (!isDamaged || !request.known) return reply
            const records = reply.records.map((record) => {
              if (!record) return record
              const bytes = Uint8Array.from(record.bytes)
              bytes[at] = (bytes[at] as number) ^ 0xff
              return { ...record, bytes }
            })
            return { ...reply, records }
          },
        }))
      isDamaged = false
      const { one } = await withOldCopy({}, damaging)
      isDamaged = true
      const { outcome, value } = await copies(one)
      expect([value, outcome], `byte ${at}`).toEqual([LONG, 'promoted'])
    }
  })

  it('is served all the same when L2 falls silent before the whole record has come', async () => {
    let answers = Number.POSITIVE_INFINITY
    const failing = (store: Store): Store =>
      altered(store, (session) => ({
        async read(request) {
          if (answers-- <= 0) throw new Error('down')
          const reply = await session.read(request)
          if (answers > 1) return reply
          return {
            ...reply,
            records: reply.records.map((r) => r && { ...r, bytes: r.bytes.slice(0, 9) }),
          }
        },
      }))
    const { one } = await withOldCopy({ grace: '1h' }, failing)
    one.origin.hold()
    answers = 1
    expect(await copies(one)).toMatchObject({ value: LONG, source: 'stale' })
  })

  it('is compared by a plain read in the same way', async () => {
    const { clock, world } = someProcesses()
    const { seen, store } = watched(memory())
    const cache = world.cache({ l2: store, ...L1 })
    await cache.set('k', 'by hand')
    await clock.advance('1s')
    expect(await cache.get('k')).toBe('by hand')
    expect(seen.bytes.every((bytes) => bytes > 64)).toBe(true)
    await clock.advance('1s')
    seen.bytes.length = 0
    expect(await cache.get('k')).toBe('by hand')
    expect(seen.bytes).toEqual([64])
    expect(await cache.getMany(['k', 'other'])).toEqual(['by hand', undefined])
    expect(cache.stats().hits).toMatchObject({ l1: 2, l2: 1 })
  })

  it('is never compared by its number in a store whose writes are not atomic', async () => {
    const plain = memory()
    const loose: Store = { ...plain, supports: { leases: true, atomic: false } }
    const { one, seen } = await withOldCopy({}, (store) => store, loose)
    expect(await copies(one)).toMatchObject({ outcome: 'promoted' })
    expect(seen.bytes[0]).toBeGreaterThan(64)
  })

  it('is not compared again at once where it is stale', async () => {
    const { one } = await withOldCopy({ grace: '1h', graceBackoff: '10s', ttl: '1s' })
    one.origin.failWith(new Error('down'))
    await copies(one)
    await settle()
    one.line.set({ hangs: 1 })
    const later = watch(copies(one))
    await settle()
    expect(later.value).toMatchObject({ outcome: 'stale-error' })
  })

  it('is read in full after its origin has failed: one number is remembered, not two', async () => {
    const { clock, one } = await withOldCopy({ grace: '1h', graceBackoff: '1s', ttl: '1s' })
    one.origin.failWith(new Error('down'))
    expect(await copies(one)).toMatchObject({ source: 'stale' })
    await settle()
    expect(await copies(one)).toMatchObject({ outcome: 'stale-error' })
    await clock.advance('1s')
    one.origin.replyWith(() => 'again')
    await copies(one)
    await settle()
    expect(await copies(one)).toMatchObject({ value: 'again', outcome: 'hit' })
  })
})

describe('when messages were lost', () => {
  /** A process with many copies, which can be told that messages were lost. */
  async function withManyCopies() {
    const { clock, world } = someProcesses()
    let lose = (): void => {}
    const shared = memory()
    const losing: Store = {
      ...shared,
      open(context) {
        lose = () => context.onMessage?.({ kind: 'lost' })
        return shared.open(context)
      },
    }
    const { seen, store } = watched(losing)
    const line = chaosStore(store)
    const cache = world.cache({ l2: line })
    const origin = new Origin((id) => `value of ${id}`)
    const get = cache.cached(origin.load, { name: 'fn' })
    const ids = Array.from({ length: 100 }, (_, i) => `${i}`)
    await Promise.all(ids.map((id) => get(id)))
    await settle()
    const burst = () => Promise.all([...ids, ...ids, ...ids].map((id) => get.detail(id)))
    return { clock, get, line, lose: () => lose(), origin, burst, seen }
  }

  it('a burst of reads costs one read of heads, and no call of the origin', async () => {
    const { lose, origin, burst, seen } = await withManyCopies()
    lose()
    expect(seen.reads, 'nothing is read before it is wanted').toBeLessThanOrEqual(4)
    seen.reads = 0
    seen.bytes.length = 0
    const outcomes = await burst()
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['revalidated']))
    expect(seen.reads).toBeLessThanOrEqual(4)
    expect(seen.bytes.every((bytes) => bytes === 64)).toBe(true)
    expect(origin.count).toBe(100)
    seen.reads = 0
    await burst()
    expect(seen.reads).toBe(0)
  })

  it('copies are served while L2 cannot be asked, and compared when it can', async () => {
    const { clock, lose, line, origin, burst } = await withManyCopies()
    line.set({ hangs: 1 })
    lose()
    const first = watch(burst())
    await clock.advance('50ms')
    expect(first.value?.every(({ outcome }) => outcome === 'degraded')).toBe(true)
    line.set({ hangs: 0 })
    await clock.advance('1s')
    const later = await burst()
    expect(later.every(({ outcome }) => outcome === 'revalidated')).toBe(true)
    expect(origin.count).toBe(100)
  })

  it('many callers beside one long load share the comparison of their copy', async () => {
    const { get, lose, origin, seen } = await withManyCopies()
    origin.hold()
    const reload = watch(get.refresh('7'))
    await settle()
    lose()
    await settle()
    seen.reads = 0
    seen.plainReads = 0
    const calls = []
    for (let i = 0; i < 50; i++) {
      calls.push(get('7'))
      // Not in one turn, where they would be sent as one anyway.
      await Promise.resolve()
    }
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['value of 7']))
    expect(seen.reads).toBe(1)
    expect(reload.state).toBe('pending')
    await origin.answer('new')
  })
})
