import { describe, expect, it } from 'vitest'
import {
  type CacheOptions,
  type Codec,
  type FunctionOptions,
  memory,
  type StandardSchema,
  type Store,
} from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, versions } from '../read-path/fixture.ts'
import { someProcesses, watched, withoutBus } from '../read-path/processes.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

type Options = FunctionOptions<[id?: string], string>

function setUp(cacheOptions: CacheOptions = {}) {
  const world = aWorld()
  const store = chaosStore(memory())
  const origin = versions()
  const process = (options: Options = {}) => {
    const cache = world.cache({ l2: store, ...cacheOptions })
    return { cache, get: cache.cached(origin.load, { name: 'fn', ...options }) }
  }
  /** What the store holds for a key. */
  const bytesOf = async (key: string): Promise<number | undefined> => {
    const { clock } = world
    const session = store.open({ clock, random: () => 0.5, space: 'test', onState() {} })
    const reply = await session.read({ keys: [key], tags: [] })
    await session.close()
    return reply.records[0]?.bytes.byteLength
  }
  return { world, store, origin, process, bytesOf }
}

function schema(validate: (value: unknown) => unknown): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } } as unknown as StandardSchema
}

const isSecond = (value: unknown) => (value === 'v2' ? { value } : { issues: [{ message: 'no' }] })

describe('bytes of L2 that are not what they should be', () => {
  it('are a miss, counted, and replaced by what the origin brings', async () => {
    const { store, process } = setUp()
    await process().get('a')
    await settle()
    const { cache, get } = process()
    const kinds: string[] = []
    cache.on('error', ({ kind }) => kinds.push(kind))
    store.set({ corrupts: 1 })
    expect(await get('a')).toBe('v2')
    expect(cache.stats().l2Errors).toBe(1)
    expect(kinds).toEqual([expect.stringMatching(/^entry-/)])
    store.set({ corrupts: 0 })
    await settle()
    expect(await process().get('a')).toBe('v2')
  })

  it('are a miss for get() and explain() too', async () => {
    const { store, process } = setUp()
    const { cache, get } = process()
    await cache.set('k', 1)
    await get('a')
    await settle()
    const other = process()
    store.set({ corrupts: 1 })
    expect(await other.cache.get('k')).toBeUndefined()
    expect((await other.get.explain('a')).l2.state).toBe('dead')
  })

  it('never reach a caller, whichever byte is wrong', async () => {
    const { world, store } = setUp()
    const value = { text: 'x'.repeat(50), list: [1, 2, 3], at: new Date(5) }
    const load = () => structuredClone(value)
    await world.cache({ l2: store }).cached(load, { name: 'fn' })()
    await settle()
    store.set({ corrupts: 1 })
    const get = world.cache({ l2: store, l1: false }).cached(load, { name: 'fn' })
    for (let i = 0; i < 200; i++) expect(await get()).toEqual(value)
    expect(store.counts.corrupts).toBeGreaterThan(100)
    expect(get.stats().hits.l2).toBe(0)
  })

  it('are a miss, counted, where they are of an older format', async () => {
    const { world, store, origin } = setUp()
    await world.cache({ l2: store }).cached(origin.load, { name: 'fn' })('a')
    await settle()
    const cache = world.cache({ l2: edited(store, (bytes) => bytes.set([1], 2)) })
    const kinds: string[] = []
    cache.on('error', ({ kind }) => kinds.push(kind))
    const get = cache.cached(origin.load, { name: 'fn' })
    expect(await get.detail('a')).toMatchObject({ value: 'v2', source: 'origin' })
    expect([cache.stats().l2Errors, kinds]).toEqual([1, ['entry-version']])
  })

  it('confirm no copy by a head that seems newer than what invalidated it', async () => {
    const { clock, shared, start } = someProcesses()
    let isDamaged = false
    // The highest bit of the exponent of `stampSequence`.
    const damaged = (bytes: Uint8Array) => {
      if (isDamaged) bytes[63] = (bytes[63] as number) ^ 0x40
    }
    const { seen, store } = watched(edited(withoutBus(shared), damaged))
    const one = start(() => store, { l1: { ttl: '1s' } })
    one.origin.replyWith(() => 'old')
    await one.get('a')
    await clock.advance('1s')
    await start().cache.invalidateTag('id:a')
    one.origin.replyWith(() => 'new')
    isDamaged = true
    seen.bytes.length = 0
    expect(await one.get('a')).toBe('new')
    expect(seen.bytes[0], 'it is the head that was read').toBe(64)
  })
})

/** A store whose records come back changed. */
function edited(store: Store, edit: (bytes: Uint8Array) => void): Store {
  return altered(store, (session) => ({
    async read(request) {
      const reply = await session.read(request)
      const records = reply.records.map((record) => {
        if (!record) return record
        const bytes = Uint8Array.from(record.bytes)
        edit(bytes)
        return { ...record, bytes }
      })
      return { ...reply, records }
    },
  }))
}

describe('schema', () => {
  it.each([
    ['at once', isSecond],
    ['later', async (value: unknown) => isSecond(value)],
  ])('that answers %s decides what of L2 is used', async (_, validate) => {
    const { process } = setUp()
    await process().get('a')
    await settle()
    const { cache, get } = process({ schema: schema(validate) })
    expect(await get.detail('a')).toMatchObject({ value: 'v2', source: 'origin' })
    expect(cache.stats().l2Errors).toBe(1)
    await settle()
    const again = process({ schema: schema(validate) })
    expect(await again.get.detail('a')).toMatchObject({ value: 'v2', source: 'l2' })
  })

  it.each([
    ['throws', () => expect.fail('a bug in the schema')],
    ['rejects', () => Promise.reject(new Error('a bug in the schema'))],
  ])('that %s makes a miss', async (_, validate) => {
    const { process } = setUp()
    await process().get('a')
    await settle()
    expect(await process({ schema: schema(validate) }).get('a')).toBe('v2')
  })

  it('does not change the value', async () => {
    const { process } = setUp()
    await process().get('a')
    await settle()
    const { get } = process({ schema: schema(() => ({ value: 'changed' })) })
    expect(await get('a')).toBe('v1')
  })

  it('does not check what the origin brings', async () => {
    const { process } = setUp()
    const { get } = process({ schema: schema(() => ({ issues: [{ message: 'never' }] })) })
    expect(await get('a')).toBe('v1')
    expect(await get('a')).toBe('v1')
  })
})

describe('codec', () => {
  const codec = (id: string): Codec<string> => ({
    id,
    encode: (value) => new TextEncoder().encode(`${id}:${value}`),
    decode: (bytes) => new TextDecoder().decode(bytes).slice(id.length + 1),
  })

  it('turns values into bytes and back', async () => {
    const { process } = setUp()
    await process({ codec: codec('text') }).get('a')
    await settle()
    const { get } = process({ codec: codec('text') })
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'l2' })
  })

  it('of another id finds a miss', async () => {
    const { process } = setUp()
    await process({ codec: codec('one') }).get('a')
    await settle()
    const { cache, get } = process({ codec: codec('other') })
    expect(await get('a')).toBe('v2')
    expect(cache.stats().l2Errors).toBe(1)
    await settle()
    expect(await process().get('a')).toBe('v3')
  })

  it('that fails to decode finds a miss', async () => {
    const { process } = setUp()
    await process({ codec: codec('text') }).get('a')
    await settle()
    const broken = { ...codec('text'), decode: () => expect.fail('a bug in the codec') }
    expect(await process({ codec: broken }).get('a')).toBe('v2')
  })

  it('that fails to encode leaves the value to L1, and frees the key for others', async () => {
    const { origin, process } = setUp()
    const broken = { ...codec('text'), encode: () => expect.fail('a bug in the codec') }
    const { cache, get } = process({ codec: broken })
    const kinds: string[] = []
    cache.on('error', ({ kind }) => kinds.push(kind))
    expect(await get('a')).toBe('v1')
    await settle()
    expect(await get('a')).toBe('v1')
    expect(kinds).toEqual(['unserializable'])
    expect(await process().get('a')).toBe('v2')
    expect(origin.count).toBe(2)
  })
})

describe('values that cannot be carried to L2', () => {
  it('are kept in L1, and reported', async () => {
    const world = aWorld()
    const origin = new Origin(() => ({ run: () => 'called' }))
    const cache = world.cache({ l2: memory() })
    const get = cache.cached(origin.load, { name: 'fn' })
    expect((await get('a')).run()).toBe('called')
    await settle()
    expect((await get('a')).run()).toBe('called')
    expect(origin.count).toBe(1)
    expect(cache.stats().l2Errors).toBe(1)
  })

  it('set by hand leave no older value behind', async () => {
    const world = aWorld()
    const store = memory()
    const [one, other] = [world.cache({ l2: store }), world.cache({ l2: store })]
    await one.set('k', 'old')
    await one.set('k', () => 'a function')
    expect(await other.get('k')).toBeUndefined()
  })
})

describe('compression', () => {
  const text = 'compressible '.repeat(5000)

  it.each([undefined, 'gzip', 'brotli', 'zstd'] as const)(
    'by %s makes large values small',
    async (algorithm) => {
      const compression = algorithm ? { algorithm } : {}
      const { world, store, origin, process, bytesOf } = setUp({ compression })
      origin.replyWith(() => text)
      const { cache, get } = process()
      await get('a')
      await cache.close()
      expect(await bytesOf(get.key('a'))).toBeLessThan(5000)
      const other = world.cache({ l2: store, compression: false })
      const found = other.cached(origin.load, { name: 'fn' })
      expect((await found('a')) === text).toBe(true)
      expect(origin.count).toBe(1)
    },
  )

  it('leaves values below the threshold, and everything without the option, as they are', async () => {
    for (const compression of [{ threshold: '100kb' }, undefined] as const) {
      const { origin, process, bytesOf } = setUp(compression ? { compression } : {})
      origin.replyWith(() => text)
      const { cache, get } = process()
      await get('a')
      await cache.close()
      expect(await bytesOf(get.key('a'))).toBeGreaterThan(text.length)
    }
  })

  it('and corrupt bytes: a miss', async () => {
    const { store, origin, process } = setUp({ compression: { threshold: 1 } })
    origin.replyWith(() => text)
    const { cache, get } = process()
    await get('a')
    await cache.close()
    store.set({ corrupts: 1 })
    const other = process()
    expect((await other.get('a')) === text).toBe(true)
    expect([origin.count, other.cache.stats().l2Errors]).toEqual([2, 1])
  })
})
