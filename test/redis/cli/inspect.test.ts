import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeySpace, STAMPS } from '../../../src/adapters/redis/key-space.ts'
import { type Cache, createCache } from '../../../src/index.ts'
import { redis } from '../../../src/redis.ts'
import { startCluster } from '../servers/cluster.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startReplicated } from '../servers/replicated.ts'
import { startSentinels } from '../servers/sentinels.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { runCli, SECRET } from './run-cli.ts'

describe('inspect', () => {
  let server: RedisProcess
  let cache: Cache
  const space = new KeySpace('rc', 'shop', false)

  beforeAll(async () => {
    server = await startServer({ requirepass: SECRET })
    cache = createCache({ name: 'shop', ttl: '1h', l2: redis({ url: server.url, timeout: '1s' }) })
    await cache.ready({ timeout: '10s' })
  })
  afterAll(async () => {
    await cache.close()
    await server.stop()
  })

  async function put(key: string, value: unknown, options: object = {}): Promise<string> {
    const load = cache.cached(async (_: string) => value, { name: `load-${key}`, ...options })
    await load(key)
    const stored = load.key(key)
    load.dispose()
    await until('the entry is stored', () => server.cli('EXISTS', space.entry(STAMPS, stored)))
    return stored
  }

  const look = (key: string, ...args: string[]) => runCli(['inspect', key, server.url, ...args])
  const field = (out: string, name: string) => new RegExp(`^ {2}${name} +(.*)$`, 'm').exec(out)?.[1]

  it('shows a fresh entry, and not its value', async () => {
    const key = await put('a', { private: 'content' }, { tags: () => ['rut:1'] })
    const { code, out } = await look(key)
    expect(out.split('\n')[0]).toBe(key)
    expect(field(out, 'verdict')).toBe('fresh: served as it is')
    expect(field(out, 'fresh until')).toMatch(/^20\d\d-.*Z \(in 5\dm/)
    expect(field(out, 'created')).toMatch(/ago\); the origin took/)
    expect(field(out, 'codec')).toBe('rc1, the default')
    expect(field(out, 'checksum')).toBe('ok')
    expect(field(out, 'lease')).toBe('free')
    expect(field(out, 'epoch')).toMatch(/the present one$/)
    expect(out).toMatch(/rut:1: valid/)
    expect(out).not.toContain('content')
    expect(code).toBe(0)
  })

  it('shows the value on demand, decoded', async () => {
    const key = await put('b', { when: new Date(0), list: [1n] })
    const { out } = await look(key, '--show-value')
    expect(out).toContain('{ when: 1970-01-01T00:00:00.000Z, list: [ 1n ] }')
  })

  it('shows bytes of another codec', async () => {
    const codec = {
      id: 'mine',
      encode: (value: unknown) => Buffer.from(String(value)),
      decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
    }
    const key = await put('c', 'text', { codec })
    const { code, out } = await look(key, '--show-value')
    expect(field(out, 'codec')).toMatch(/^one of your own, hash of its id 0x/)
    expect(out).toContain(Buffer.from('text').toString('hex'))
    expect(code).toBe(0)
  })

  it('says which tag invalidated an entry, and which expired it', async () => {
    const gone = await put('d', 1, { tags: () => ['hard'], grace: '1h' })
    const stale = await put('e', 1, { tags: () => ['soft'], grace: '1h' })
    await cache.invalidateTag('hard')
    await cache.expireTag('soft')
    const hard = await look(gone)
    expect(field(hard.out, 'verdict')).toMatch(/^would be a miss: the tag .*hard was invalidated/)
    expect(hard.code).toBe(1)
    const soft = await look(stale)
    expect(field(soft.out, 'verdict')).toMatch(/^stale: the tag .*soft was expired/)
    expect(soft.code).toBe(0)
  })

  it('tells grace from the end of it', async () => {
    const key = await put('f', 1, { ttl: '20ms', grace: '1h' })
    await expect
      .poll(async () => field((await look(key)).out, 'verdict'), { timeout: 3000 })
      .toBe('stale: its ttl is over, its grace is not')
  })

  it('sees damage, another key and what is not of this library', async () => {
    const key = await put('g', 'some text')
    const name = space.entry(STAMPS, key)
    const bytes = await server.cliBytes<Buffer>('GET', name)
    await server.cli('SET', space.entry(STAMPS, 'shop:other::1'), bytes)
    expect(field((await look('shop:other::1')).out, 'verdict')).toContain('under another key')
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
    await server.cli('SET', name, bytes)
    const damaged = await look(key)
    expect(field(damaged.out, 'checksum')).toBe('WRONG')
    expect(field(damaged.out, 'verdict')).toContain('its checksum is wrong')
    expect(damaged.code).toBe(1)
    await server.cli('SET', name, 'of somebody else, but longer than the head of an entry')
    expect(field((await look(key)).out, 'verdict')).toMatch(/^would be a miss/)
    await server.cli('SET', name, 'short')
    expect(field((await look(key)).out, 'verdict')).toContain('not stored by this library')
  })

  it('shows a lease that is held and loads that failed', async () => {
    let fail = (_: Error) => {}
    const origin = () => new Promise<never>((_, reject) => (fail = reject))
    const load = cache.cached(async (_: string) => origin(), { name: 'slow' })
    const call = load('x')
    call.catch(() => {})
    const key = load.key('x')
    const lease = () => server.cli('EXISTS', space.lease(STAMPS, key))
    await until('the lease is taken', lease)
    const held = await look(key)
    expect(field(held.out, 'lease')).toMatch(/^held, a load is under way; ends in \d/)
    expect(field(held.out, 'verdict')).toBe('not found: there is nothing under this key')
    expect(held.code).toBe(1)
    fail(new Error('no'))
    await expect(call).rejects.toThrow('no')
    await expect
      .poll(async () => field((await look(key)).out, 'lease'), { timeout: 3000 })
      .toBe('free; 1 load failed lately')
  })

  it('tells machines the same', async () => {
    const key = await put('h', 1, { tags: () => ['t'] })
    const { code, out } = await look(key, '--json')
    expect(JSON.parse(out)).toMatchObject({
      key,
      cache: 'shop',
      verdict: 'fresh',
      entry: { codec: 'rc1', compression: 'none', isChecksumRight: true },
      tags: [{ standing: 'valid' }],
    })
    expect(out).not.toContain('"value"')
    expect(code).toBe(0)
  })

  it('finds the name of the cache in the key, or takes it', async () => {
    const odd = createCache({
      name: 'a:b%ñ',
      ttl: '1h',
      l2: redis({ url: server.url, timeout: '1s' }),
    })
    await odd.ready({ timeout: '10s' })
    const load = odd.cached(async (id: string) => id, { name: 'load' })
    await load('1')
    const key = load.key('1')
    await until('it is stored', async () => (await look(key)).code === 0)
    expect((await look(key, '--cache', 'shop')).code).toBe(1)
    await odd.close()
  })

  it('calls everything of another epoch a miss', async () => {
    const key = await put('i', 1)
    await server.cli('HSET', space.sequence(STAMPS), 'e', '77')
    const { code, out } = await look(key)
    expect(field(out, 'verdict')).toContain('of another epoch')
    expect(field(out, 'epoch')).toMatch(/while the sequence has 77$/)
    expect(code).toBe(1)
  })

  it('says what keeps it from looking', async () => {
    const { code, err } = await runCli(['inspect', 'shop:load::1', 'redis://127.0.0.1:1'])
    expect(err).toContain('ECONNREFUSED')
    expect(code).toBe(1)
  })
})

describe('inspect elsewhere', () => {
  it('finds the node of a cluster that has the key', async () => {
    const cluster = await startCluster()
    const nodes = [`127.0.0.1:${cluster.masters[0]?.port}`]
    const cache = createCache({
      name: 'shop',
      ttl: '1h',
      l2: redis({ cluster: nodes, timeout: '1s' }),
    })
    try {
      await cache.ready({ timeout: '10s' })
      const load = cache.cached(async (id: number) => id, { name: 'load', tags: () => ['t'] })
      for (const id of [1, 2, 3, 4]) {
        await load(id)
        const args = ['inspect', load.key(id), '--cluster', nodes[0] as string]
        await until('it is found fresh', async () => {
          const { code, out } = await runCli(args)
          return code === 0 && /slot +\d+, partition \d+/.test(out) && /t: valid/.test(out)
        })
      }
      const { err, code } = await runCli(['inspect', load.key(1), `redis://${nodes[0]}`])
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/--cluster/) })
    } finally {
      await cache.close()
      await cluster.stop()
    }
  })

  it('asks the sentinels for the master', async () => {
    const group = await startReplicated({ replicas: 1, requirepass: SECRET })
    const watch = await startSentinels(group.master)
    try {
      const sentinels = watch.addresses.map(({ host, port }) => `${host}:${port}`).join(',')
      const args = ['--sentinels', sentinels, '--master-name', watch.name, '--password', SECRET]
      const { code, out } = await runCli(['inspect', 'shop:load::1', ...args])
      expect(out).toContain('not found')
      expect(code).toBe(1)
    } finally {
      await watch.stop()
      await group.stop()
    }
  })
})
