import { describe, expect } from 'vitest'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import { type Bed, fault } from './fixture.ts'
import { keysOf, startService, Truth } from './service.ts'

/** Numbers before the envelope: version, freshUntil, epoch. */
const PREFIX = 20

async function twoServices(bed: Bed, args: readonly string[] = []) {
  const server = await bed.server({ args })
  const truth = new Truth()
  const a = startService(bed, { url: server.url }, truth)
  const b = startService(bed, { url: server.url }, truth, { l1: false })
  await Promise.all([a.usable(), b.usable()])
  return { server, truth, a, b }
}

async function change(server: RedisProcess, id: string, edit: (bytes: Buffer) => Buffer) {
  const [key] = await keysOf(server, 'e', id)
  const bytes = await server.cliBytes<Buffer>('GET', String(key))
  await server.cli('SET', String(key), edit(Buffer.from(bytes)), 'KEEPTTL')
}

describe('22: a key of the wrong type', () => {
  for (const kind of ['e', 'l'] as const) {
    fault(
      `22: in the place of ${kind === 'e' ? 'an entry' : 'a lease'} is a miss, and no breaker counts it`,
      async (bed) => {
        const { server, truth, a, b } = await twoServices(bed)
        await a.store('x', server)
        const entry = String((await keysOf(server, 'e', 'x'))[0])
        const key = kind === 'e' ? entry : entry.replace(':e:', ':l:')
        await server.cli('DEL', entry, key)
        await server.cli('LPUSH', key, 'foreign')
        for (let i = 1; i <= 8; i++) expect((await b.ask('x')).value).toBe('x@1')
        expect(b.l2()).toMatchObject({
          state: 'ready',
          breaker: { read: 'closed', write: 'closed' },
        })
        // It is overwritten by what was loaded, so that later reads are hits again.
        await until('it is a hit again', async () => (await b.ask('x')).source === 'l2')
        expect(truth.callsOf('x')).toBeLessThanOrEqual(10)
        expect(b.errors).toEqual([])
      },
    )
  }

  fault('22: in the place of a stamp never makes an entry valid', async (bed) => {
    const { server, truth, a, b } = await twoServices(bed)
    await a.store('x', server)
    truth.change('x')
    await a.cache.invalidateTag('tag:x')
    const [stamp] = await keysOf(server, 't', 'tag:x')
    await server.cli('DEL', String(stamp))
    await server.cli('LPUSH', String(stamp), 'foreign')
    for (let i = 0; i < 8; i++) expect((await b.ask('x')).value).toBe('x@2')
    expect(b.l2().breaker).toEqual({ read: 'closed', write: 'closed' })
  })
})

describe('23: a corrupted payload', () => {
  const cases: readonly (readonly [string, string, (bytes: Buffer) => Buffer])[] = [
    [
      'junk after the numbers',
      'entry-foreign',
      (bytes) => Buffer.concat([bytes.subarray(0, PREFIX), Buffer.from('junk'.repeat(50))]),
    ],
    [
      'a byte that has changed',
      'entry-corrupt',
      (bytes) => {
        bytes[bytes.length - 1] = 255 - (bytes.at(-1) as number)
        return bytes
      },
    ],
    ['a record cut short', 'entry-corrupt', (bytes) => bytes.subarray(0, PREFIX + 70)],
    [
      'an older format',
      'entry-version',
      (bytes) => {
        bytes[PREFIX + 2] = 0
        return bytes
      },
    ],
  ]

  for (const [what, kind, edit] of cases) {
    fault(`23: ${what} is a miss, counted, and overwritten`, async (bed) => {
      const { server, truth, a, b } = await twoServices(bed)
      await a.store('x', server)
      expect(await b.ask('x')).toMatchObject({ source: 'l2' })
      await change(server, 'x', edit)
      expect(await b.ask('x')).toMatchObject({ value: 'x@1', source: 'origin' })
      expect(truth.callsOf('x')).toBe(2)
      expect(b.errors.map((error) => error.kind)).toEqual([kind])
      expect(b.cache.stats().l2Errors).toBe(1)
      await until('it is whole again', async () => (await b.ask('x')).source === 'l2')
      expect(truth.callsOf('x')).toBe(2)
      expect(b.l2()).toMatchObject({ state: 'ready', breaker: { read: 'closed' } })
    })
  }

  for (const junk of ['junk', '']) {
    fault(`23: ${JSON.stringify(junk)} instead of a record is a miss`, async (bed) => {
      const { server, a, b } = await twoServices(bed)
      await a.store('x', server)
      await change(server, 'x', () => Buffer.from(junk))
      expect(await b.ask('x')).toMatchObject({ value: 'x@1', source: 'origin' })
      await until('it is whole again', async () => (await b.ask('x')).source === 'l2')
    })
  }

  fault(
    '23: a byte that was flipped on the way is a miss, and does no harm to what is stored',
    async (bed) => {
      const server = await bed.server()
      const proxy = await bed.proxy(server)
      const truth = new Truth()
      const a = startService(bed, { url: server.url }, truth)
      const b = startService(bed, { url: proxy.url }, truth, { l1: false })
      await Promise.all([a.usable(), b.usable()])
      const id = `x${'y'.repeat(150)}`
      const big = 'text'.repeat(2000)
      expect(await a.cache.set(id, big)).toEqual({ durable: true })
      expect(await b.cache.get(id)).toBe(big)
      proxy.set({ kind: 'flip', atByte: 2000, times: 1 })
      expect(await b.cache.get(id)).toBeUndefined()
      expect(b.errors.map((error) => error.kind)).toEqual(['entry-corrupt'])
      expect(b.cache.stats().l2Errors).toBe(1)
      proxy.set({ kind: 'pass' })
      expect(await b.cache.get(id)).toBe(big)
    },
  )
})

describe('24: a value that is too large', () => {
  fault('24: is refused here, and harms nothing else that is under way', async (bed) => {
    const server = await bed.server({ args: ['--proto-max-bulk-len', '1048576'] })
    const proxy = await bed.proxy(server)
    const truth = new Truth()
    const a = startService(bed, { url: proxy.url }, truth)
    await a.usable()
    const connections = proxy.accepted
    const big = a.cache.cached(async (id: string) => id.padEnd(2 * 1024 * 1024, 'x'), {
      name: 'big',
    })
    const others = Promise.all(Array.from({ length: 50 }, (_, i) => a.ask(`k${i}`)))
    expect((await big('b')).length).toBe(2 * 1024 * 1024)
    for (const { value, source } of await others) {
      expect(value).toMatch(/^k\d+@1$/)
      expect(source).toBe('origin')
    }
    await until('it is counted', () => a.errors.some(({ kind }) => kind === 'l2-too-large'))
    await until('the others are stored', async () => (await keysOf(server, 'e', 'k')).length === 50)
    expect(a.cache.stats().l2Errors).toBe(1)
    expect(a.l2()).toMatchObject({ state: 'ready', breaker: { read: 'closed', write: 'closed' } })
    // A record that the server would not take closes the connection: none was sent.
    expect(proxy.accepted).toBe(connections)
    expect(await keysOf(server, 'e', 'b"')).toEqual([])
    // A set of it leaves no older value behind.
    await a.cache.set('s', 'small')
    expect(await a.cache.set('s', 'x'.repeat(2 * 1024 * 1024))).toEqual({ durable: false })
    const b = startService(bed, { url: server.url }, truth, { l1: false })
    await b.usable()
    expect(await b.cache.get('s')).toBeUndefined()
  })
})

describe('25: scripts that the server has forgotten', () => {
  fault('25: are sent again, and nobody notices', async (bed) => {
    const { server, truth, a, b } = await twoServices(bed)
    await a.store('x', server)
    for (let i = 0; i < 5; i++) {
      await server.cli('SCRIPT', 'FLUSH')
      expect(await b.ask('x')).toMatchObject({ value: `x@${i + 1}`, source: 'l2' })
      await server.cli('SCRIPT', 'FLUSH')
      truth.change('x')
      expect(await a.get.invalidate('x')).toEqual({ durable: true })
      await server.cli('SCRIPT', 'FLUSH')
      expect(await a.cache.invalidateTag('other')).toEqual({ durable: true })
      await server.cli('SCRIPT', 'FLUSH')
      expect(await a.store('x', server)).toBe(`x@${i + 2}`)
    }
    expect([...a.errors, ...b.errors]).toEqual([])
    expect(b.cache.stats()).toMatchObject({ l2Errors: 0, hits: { l2: 5 } })
    expect(truth.callsOf('x')).toBe(6)
    const { errorstat_NOSCRIPT: flushed } = await server.info('errorstats')
    expect(flushed).toBeDefined()
  })
})

describe('27: FLUSHALL', () => {
  fault(
    '27: costs misses; no copy is fresh before it was compared, and no tag comes back',
    async (bed) => {
      const { server, truth, a, b } = await twoServices(bed)
      const c = startService(bed, { url: server.url }, truth)
      await c.usable()
      for (const id of ['x', 'y', 'z']) await a.store(id, server)
      for (const id of ['x', 'y', 'z']) await c.get(id)
      truth.change('z')
      await a.cache.invalidateTag('tag:z')
      await until('told', () => c.get.peek('z') === undefined)
      const gaps = c.seen.gaps
      await server.cli('FLUSHALL')
      truth.change('x')
      // Nobody was told of the flush: the heartbeat finds it out.
      await until('it is noticed', () => c.seen.gaps > gaps && a.seen.gaps > 0, { withinMs: 1600 })
      expect(await c.ask('y')).toMatchObject({ value: 'y@1', source: 'origin' })
      expect((await c.ask('x')).value).toBe('x@2')
      expect((await b.ask('x')).value).toBe('x@2')
      expect((await b.ask('z')).value).toBe('z@2')
      expect([...a.errors, ...b.errors, ...c.errors]).toEqual([])
      await until('L2 is filled again', async () => (await b.ask('x')).source === 'l2')
    },
  )

  fault('27: during a load: what was begun before is not stored', async (bed) => {
    const { server, truth, a, b } = await twoServices(bed)
    truth.delayMs = 100
    const load = a.get('x')
    await until('the load has its lease', async () => (await keysOf(server, 'l')).length > 0)
    truth.change('x')
    await server.cli('FLUSHALL')
    expect(await load).toBe('x@1')
    expect((await b.ask('x')).value).toBe('x@2')
  })
})

describe('13: eviction', () => {
  fault('13: of the stamp of a tag makes entries stale, never valid', async (bed) => {
    const { server, truth, a, b } = await twoServices(bed)
    await a.store('x', server)
    truth.change('x')
    await a.cache.invalidateTag('tag:x')
    await server.cli('DEL', ...(await keysOf(server, 't', 'tag:x')))
    expect((await b.ask('x')).value).toBe('x@2')
  })

  fault('13: of the sequence makes everything stale', async (bed) => {
    const { server, truth, a, b } = await twoServices(bed)
    await a.store('x', server)
    truth.change('x')
    await a.cache.invalidateTag('tag:x')
    await server.cli('DEL', ...(await keysOf(server, 't')), ...(await keysOf(server, 'q')))
    expect((await b.ask('x')).value).toBe('x@2')
    await until('both have seen it', () => a.seen.gaps > 0 && b.seen.gaps > 0, { withinMs: 1600 })
  })

  fault('13: of a lease: what its holder has loaded is not stored', async (bed) => {
    const { server, truth, a, b } = await twoServices(bed)
    truth.delayMs = 150
    const load = a.get('x')
    await until('the lease is there', async () => (await keysOf(server, 'l')).length > 0)
    await server.cli('DEL', ...(await keysOf(server, 'l')))
    truth.change('x')
    const second = b.ask('x')
    expect(await load).toBe('x@1')
    expect((await second).value).toBe('x@2')
    await until('L2 has it', async () => (await b.ask('x')).source === 'l2')
    expect((await b.ask('x')).value).toBe('x@2')
  })

  fault('13: for real, under allkeys-lru: misses, right values, no errors', async (bed) => {
    const limits = ['--maxmemory', '4mb', '--maxmemory-policy', 'allkeys-lru']
    const { server, truth, a, b } = await twoServices(bed, limits)
    const ids = Array.from({ length: 20 }, (_, i) => `k${i}`)
    for (const id of ids) await a.store(id, server)
    for (const id of ids) {
      truth.change(id)
      await a.cache.invalidateTag(`tag:${id}`)
    }
    // Entries are looked at now and then, so the stamps and the sequence may well go before them.
    const [kept] = await keysOf(server, 'e', 'k0')
    const junk = 'x'.repeat(4096)
    let filled = 0
    await until(
      'the stamps are gone',
      async () => {
        for (let i = 0; i < 50; i++) await server.cli('SET', `junk:${filled++}`, junk)
        await server.cli('GET', String(kept))
        return (await keysOf(server, 't')).length === 0
      },
      { withinMs: 20_000, everyMs: 1 },
    )
    for (const id of ids) expect((await b.ask(id)).value).toBe(`${id}@2`)
    expect(Number((await server.info('stats')).evicted_keys)).toBeGreaterThan(100)
    expect([...a.errors, ...b.errors]).toEqual([])
    expect(b.l2()).toMatchObject({ state: 'ready', breaker: { read: 'closed', write: 'closed' } })
  })
})

describe('28: a restart with the data gone', () => {
  fault(
    '28: is another past: nothing of before is believed, and what was invalidated stays so',
    async (bed) => {
      const { server, truth, a, b } = await twoServices(bed)
      for (const id of ['x', 'y']) await a.store(id, server)
      const gaps = b.seen.gaps
      await server.restart()
      await Promise.all([a.usable(), b.usable()])
      await until('both know', () => b.seen.gaps > gaps && a.seen.gaps > 0)
      expect(b.seen.states).toContain('down')
      expect(await a.ask('y')).toMatchObject({ value: 'y@1', source: 'origin' })
      truth.change('x')
      expect(await a.get.invalidate('x')).toEqual({ durable: true })
      expect((await b.ask('x')).value).toBe('x@2')
    },
  )

  fault(
    '28: from a snapshot that is older than an invalidation: the old value does not come back',
    async (bed) => {
      const { server, truth, a, b } = await twoServices(bed, ['--dbfilename', 'old.rdb'])
      await a.store('x', server)
      await server.cli('SAVE')
      truth.change('x')
      expect(await a.get.invalidate('x')).toEqual({ durable: true })
      await server.restart()
      expect((await keysOf(server, 'e', 'x')).length).toBe(1)
      await Promise.all([a.usable(), b.usable()])
      for (const one of [a, b]) expect((await one.ask('x')).value).toBe('x@2')
      const c = startService(bed, { url: server.url }, truth, { l1: false })
      await c.usable()
      expect((await c.ask('x')).value).toBe('x@2')
    },
  )
})
