import { describe, expect } from 'vitest'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import { type Bed, fault } from './fixture.ts'
import { keysOf, type Service, startService, Truth } from './service.ts'

const PEERS = 'password-of-the-peers'
const APP = { username: 'app', password: 'password-of-the-app' }

/**
 * A master, a replica and three sentinels. The peers log in as another user than the services, so
 * that a master can be cut off from its peers alone; the services see the sentinels through proxies,
 * so that one of them can be cut off from these.
 */
async function parted(bed: Bed) {
  const group = await bed.replicated({ requirepass: PEERS })
  const replica = group.replicas[0] as RedisProcess
  for (const server of group.servers) {
    await server.cli('ACL', 'SETUSER', APP.username, 'on', `>${APP.password}`, '~*', '&*', '+@all')
  }
  const { addresses, name, settle } = await bed.sentinels(group.master)
  const proxies = await Promise.all(addresses.map((address) => bed.proxy(address)))
  const truth = new Truth()
  const start = (sentinels: readonly { host: string; port: number }[]): Service =>
    startService(
      bed,
      { sentinels: sentinels.map(({ host, port }) => ({ host, port })), masterName: name, ...APP },
      truth,
    )
  const minority = start(proxies)
  const majority = start(addresses)
  await Promise.all([minority.usable(), majority.usable()])
  return {
    ...{ master: group.master, replica, truth, minority, majority, settle },
    /** No peer and no sentinel reaches the master, and `minority` no sentinel. */
    async part() {
      for (const proxy of proxies) {
        proxy.set({ kind: 'black-hole' }, 'both')
      }
      await group.master.cli('CONFIG', 'SET', 'requirepass', 'another')
      await group.master.cli('CLIENT', 'KILL', 'USER', 'default', 'SKIPME', 'yes')
      await group.master.cli('CLIENT', 'KILL', 'TYPE', 'replica', 'SKIPME', 'yes')
    },
    async heal() {
      await group.master.cli('CONFIG', 'SET', 'requirepass', PEERS)
      for (const proxy of proxies) {
        proxy.reset()
        await proxy.heal()
      }
    },
  }
}

describe('33: split brain', () => {
  fault('33: bounded while it lasts, and one truth after it', async (bed) => {
    const { master, replica, truth, minority, majority, part, heal } = await parted(bed)
    for (const id of ['x', 'y', 'z']) await minority.store(id, master)
    for (const id of ['x', 'y', 'z']) await majority.get(id)
    await part()
    await until('the majority has another master', () => majority.seen.states.includes('down'))
    await until(
      'the majority writes there',
      async () => (await majority.cache.set('there', 1)).durable && isMaster(replica),
      { withinMs: 20_000 },
    )
    // The minority still has its server, and cannot know better. What it says there is heard there.
    expect(minority.l2().state).toBe('ready')
    truth.change('x')
    expect(await majority.get.invalidate('x')).toEqual({ durable: true })
    expect(await majority.get('x')).toBe('x@2')
    truth.change('y')
    expect(await minority.get.invalidate('y')).toEqual({ durable: true })
    expect(await minority.get('y')).toBe('y@2')
    // Nobody vouches for the old master: once it is found anew, it had replicas and has none. So it
    // is only read, and what is invalidated is kept for later.
    await master.cli('CLIENT', 'KILL', 'USER', APP.username)
    await until('the minority is read-only', () => minority.l2().readOnly)
    expect(minority.cache.health()).toMatchObject({
      status: 'degraded',
      l2: { state: 'ready', source: 'last-known', readOnly: true },
    })
    truth.change('z')
    expect(await minority.get.invalidate('z')).toEqual({ durable: false })
    expect(await minority.get('z')).toBe('z@2')
    expect(await minority.cache.set('here', 1)).toEqual({ durable: false })
    const entriesThere = await keysOf(master, 'e', 'here').catch(() => [])
    expect(entriesThere).toEqual([])
    await heal()
    const healedAt = performance.now()
    await until('both use the master of the majority', () => usesSentinel(minority), {
      withinMs: 20_000,
    })
    bed.say(`minority back after ${(performance.now() - healedAt).toFixed(0)} ms`)
    // Told again: also what the old master had acknowledged within the last 30 s.
    for (const id of ['x', 'y', 'z']) {
      await until(`${id} is one everywhere`, async () => {
        const values = await Promise.all([minority.get(id), majority.get(id)])
        return values.every((value) => value === `${id}@2`)
      })
    }
    const url = `redis://${APP.username}:${APP.password}@127.0.0.1:${replica.port}`
    const third = startService(bed, { url }, truth, { l1: false })
    await third.usable()
    for (const id of ['x', 'y', 'z']) expect((await third.ask(id)).value).toBe(`${id}@2`)
    await until('the old master follows', async () => !(await isMaster(master)), {
      withinMs: 20_000,
    })
    expect(minority.seen.gaps).toBeGreaterThan(0)
    expect(minority.cache.health().status).toBe('ok')
  })

  fault('33: without replicas to miss: what is written there lives a minute', async (bed) => {
    const server = await bed.server()
    const truth = new Truth()
    const nobody = await bed.port()
    const one = startService(
      bed,
      {
        sentinels: [{ host: '127.0.0.1', port: nobody }],
        masterName: 'mymaster',
        standalone: { host: '127.0.0.1', port: server.port },
      },
      truth,
      { ttl: '2h' },
    )
    await one.usable()
    expect(one.l2()).toMatchObject({ source: 'standalone', readOnly: false })
    await one.store('x', server)
    const [key] = await keysOf(server, 'e', 'x')
    const left = await server.cli<number>('PTTL', String(key))
    expect(left).toBeGreaterThan(50_000)
    expect(left).toBeLessThanOrEqual(60_000)
    expect(await one.cache.set('y', 1, { ttl: '1h' })).toEqual({ durable: true })
    const [set] = await keysOf(server, 'e', '::y')
    expect(await server.cli<number>('PTTL', String(set))).toBeLessThanOrEqual(60_000)
  })
})

function usesSentinel({ l2 }: Service): boolean {
  const { state, source, readOnly } = l2()
  return state === 'ready' && source === 'sentinel' && !readOnly
}

async function isMaster(server: RedisProcess): Promise<boolean> {
  return (await server.info('replication')).role === 'master'
}

describe('34: failover in the middle of something', () => {
  /** Evaluations that the server has carried out. */
  async function evaluations(server: RedisProcess): Promise<number> {
    const stats = await server.info('commandstats')
    return ['cmdstat_evalsha', 'cmdstat_eval'].reduce(
      (sum, name) => sum + Number(/calls=(\d+)/.exec(stats[name] ?? '')?.[1] ?? 0),
      0,
    )
  }

  async function behindProxy(bed: Bed) {
    const group = await bed.replicated()
    const replica = group.replicas[0] as RedisProcess
    const proxy = await bed.proxy(group.master)
    const truth = new Truth()
    const one = startService(bed, { url: proxy.url, timeout: '100ms' }, truth, { l1: false })
    await one.usable()
    const failOver = async () => {
      await proxy.refuse()
      proxy.reset()
      await group.master.kill()
      await replica.cli('REPLICAOF', 'NO', 'ONE')
      proxy.retarget(replica)
      proxy.set({ kind: 'pass' }, 'both')
      await proxy.accept()
    }
    return { master: group.master, replica, proxy, truth, one, failOver }
  }

  fault('34: a change whose answer was lost is told again, never sent again', async (bed) => {
    const { master, replica, proxy, truth, one, failOver } = await behindProxy(bed)
    await one.store('x', master)
    truth.change('x')
    // It arrives and is carried out; its answer never comes.
    proxy.set({ kind: 'black-hole' }, 'replies')
    const before = await evaluations(master)
    const started = performance.now()
    expect(await one.get.invalidate('x')).toEqual({ durable: false })
    expect(performance.now() - started).toBeLessThan(400)
    await until('it was carried out', async () => (await keysOf(master, 'e', 'x')).length === 0)
    await until('the replica has it', async () => (await keysOf(replica, 'e', 'x')).length === 0)
    expect(await evaluations(master)).toBeGreaterThan(before)
    await failOver()
    await one.usable()
    expect((await one.ask('x')).value).toBe('x@2')
    // The entry by replication; then the journal tells the new master, for its connection and perhaps
    // once more for its epoch, each time entry and lease. The client has resent nothing by itself.
    await until('it is stored', async () => (await one.ask('x')).source === 'l2')
    const { cmdstat_unlink: unlinked } = await replica.info('commandstats')
    expect(Number(/calls=(\d+)/.exec(unlinked ?? '')?.[1] ?? 0)).toBeLessThanOrEqual(5)
    expect(one.cache.stats().l2Errors).toBe(one.errors.length)
    expect(one.errors.length).toBeGreaterThan(0)
  })

  fault('34: commits whose answers were lost are whole or not there at all', async (bed) => {
    const { replica, proxy, one, failOver } = await behindProxy(bed)
    const ids = Array.from({ length: 40 }, (_, i) => `k${i}`)
    // The reads are answered, and somewhere within the pipeline of the commits the line goes dead.
    const loads = one.get.many(ids.map((id) => [id] as [string]))
    proxy.set({ kind: 'stall', afterBytes: 2500 }, 'replies')
    expect(await loads).toEqual(ids.map((id) => `${id}@1`))
    await failOver()
    await one.usable()
    const again = await Promise.all(ids.map((id) => one.ask(id)))
    expect(again.map(({ value }) => value)).toEqual(ids.map((id) => `${id}@1`))
    expect(one.errors.filter(({ kind }) => kind.startsWith('entry-'))).toEqual([])
    await until('all are stored', async () => {
      const { length } = await keysOf(replica, 'e', 'k')
      return length === ids.length
    })
    const third = startService(bed, { url: replica.url }, one.truth, { l1: false })
    await third.usable()
    const seen = await Promise.all(ids.map((id) => third.ask(id)))
    expect(seen.every(({ source }) => source === 'l2')).toBe(true)
  })
})

describe('25 and 28 under Sentinel', () => {
  async function sentinelWorld(bed: Bed) {
    const group = await bed.replicated()
    const sentinels = await bed.sentinels(group.master, { downAfterMs: 3000 })
    const truth = new Truth()
    const options = { sentinels: sentinels.addresses, masterName: sentinels.name }
    const a = startService(bed, options, truth)
    const b = startService(bed, options, truth, { l1: false })
    await Promise.all([a.usable(), b.usable()])
    return { ...group, sentinels, truth, a, b }
  }

  async function connectionsTo(server: RedisProcess): Promise<number> {
    const clients = String(await server.cli('CLIENT', 'LIST')).split('\n')
    return clients.filter((client) => client.includes(' name=resilient-cache')).length
  }

  fault('25: a new master that knows no scripts', async (bed) => {
    const { master, servers, sentinels, truth, a, b } = await sentinelWorld(bed)
    for (const id of ['x', 'y']) await a.store(id, master)
    for (const server of servers) await server.cli('SCRIPT', 'FLUSH')
    truth.change('y')
    expect(await a.get.invalidate('y')).toEqual({ durable: true })
    const wanted = await connectionsTo(master)
    await sentinels.failover()
    // For a moment the old one still calls itself a master, and whoever has lost it finds it again.
    const [heir] = servers.filter((server) => server !== master) as [RedisProcess]
    await until('both have moved', async () => (await connectionsTo(heir)) >= wanted)
    await Promise.all([a.usable(), b.usable()])
    expect(await b.ask('x')).toMatchObject({ value: 'x@1', source: 'l2' })
    expect((await b.ask('y')).value).toBe('y@2')
    expect((await a.ask('y')).value).toBe('y@2')
    const texts = [...a.errors, ...b.errors].filter(({ text }) => text.includes('NOSCRIPT'))
    expect(texts).toEqual([])
  })

  fault('28: a master that comes back empty before anybody notices', async (bed) => {
    const { master, replicas, truth, a, b } = await sentinelWorld(bed)
    for (const id of ['x', 'y']) await a.store(id, master)
    truth.change('y')
    expect(await a.get.invalidate('y')).toEqual({ durable: true })
    const gaps = a.seen.gaps
    await master.restart()
    await Promise.all([a.usable(), b.usable()])
    await until('it is noticed', () => a.seen.gaps > gaps)
    expect(a.l2().source).toBe('sentinel')
    truth.change('x')
    expect(await a.get.invalidate('x')).toEqual({ durable: true })
    for (const id of ['x', 'y']) {
      expect((await b.ask(id)).value).toBe(`${id}@2`)
      expect((await a.ask(id)).value).toBe(`${id}@2`)
    }
    // The replica was wiped with it.
    await until('the replica follows', async () => {
      const { master_link_status: link } = await (replicas[0] as RedisProcess).info('replication')
      return link === 'up'
    })
  })
})
