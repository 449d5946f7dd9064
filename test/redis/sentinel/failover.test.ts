import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SentinelTarget } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { type Replicated, startReplicated, untilInSync } from '../servers/replicated.ts'
import { RespClient } from '../servers/resp-client.ts'
import { type Sentinels, startSentinels } from '../servers/sentinels.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { Driver } from './driver.ts'
import { FakeSentinel } from './fake-sentinel.ts'
import { targetOf } from './settings.ts'

let data: Replicated
let group: Sentinels
const ends: (() => unknown)[] = []

beforeAll(async () => {
  data = await startReplicated({ replicas: 2 })
  // A machine that is busy with other tests pauses a server for longer than the usual 500 ms.
  group = await startSentinels(data.master, { downAfterMs: 1500 })
})

afterAll(async () => {
  await Promise.all([data?.stop(), group?.stop()])
})

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await Promise.all(group.sentinels.filter((one) => !one.running).map((one) => one.start()))
  await untilWhole()
})

/** All servers follow the one that the sentinels name. */
async function untilWhole(): Promise<void> {
  await group.settle(2)
  const { port } = await group.master()
  const isMaster = (server: RedisProcess) => server.port === port
  const master = data.servers.find(isMaster) as RedisProcess
  await untilInSync(
    master,
    data.servers.filter((server) => !isMaster(server)),
  )
}

function drive(
  given: Partial<SentinelTarget> = {},
  sentinels: SentinelTarget['sentinels'] = group.addresses,
): Driver {
  const driver = new Driver(targetOf(sentinels, given))
  ends.push(() => driver.discovery.stop())
  return driver
}

async function killSentinels(): Promise<void> {
  await Promise.all(group.sentinels.map((sentinel) => sentinel.kill()))
}

/** When the majority of the sentinels named another port, asked without a pause. */
async function agreedAt(port: number): Promise<number> {
  const clients = group.addresses.map((address) => new RespClient(address))
  const ask = async (client: RespClient) => {
    const reply = await client.send('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', group.name)
    return Number(String((reply as Buffer[])[1])) !== port
  }
  try {
    await until(
      'the majority names another master',
      async () => {
        const moved = await Promise.all(clients.map(ask))
        return moved.filter(Boolean).length >= 2
      },
      { withinMs: 20_000, everyMs: 1 },
    )
    return performance.now()
  } finally {
    for (const client of clients) client.close()
  }
}

describe('discovery among real sentinels', () => {
  it('finds the master, quickly', async () => {
    const driver = drive()
    const from = performance.now()
    const found = await driver.connect()
    expect(performance.now() - from).toBeLessThan(250)
    expect(found).toMatchObject({ ...(await group.master()), source: 'sentinel' })
  })

  it('names the option when the master has another name', async () => {
    const driver = drive({ masterName: 'nobody' })
    await expect(driver.connect()).rejects.toThrow("No sentinel knows a master named 'nobody'")
  })

  it('moves once, within 100 ms of the agreement, in a planned failover', async () => {
    const driver = drive()
    const before = await driver.connect()
    const connected: Promise<{ port: number }>[] = []
    driver.onMoved = () => connected.push(driver.connect())
    const [agreed, after] = await Promise.all([agreedAt(before.port), group.failover()])
    await until('it was told to move', () => driver.moves.length > 0)
    const lag = (driver.moves[0] as number) - agreed
    process.env.RC_SHOW_LAG && process.stderr.write(`lag ${lag.toFixed(1)} ms\n`)
    expect(lag).toBeLessThan(100)
    expect((await connected[0])?.port).toBe(after.port)
    await group.settle(2)
    // The sentinels announce one after the other for about a second.
    const later = performance.now() + 1500
    await until('all have announced', () => performance.now() > later)
    expect(driver.moves).toHaveLength(1)
  })

  it('finds the new master after the old one was killed', async () => {
    const driver = drive()
    const before = await driver.connect()
    const old = data.servers.find(({ port }) => port === before.port) as RedisProcess
    await old.kill()
    const agreed = agreedAt(before.port)
    await expect(driver.connect(2)).rejects.toThrow()
    const moved = until('it was told to move', () => driver.moves[0])
    const lag = (await moved) - (await agreed)
    process.env.RC_SHOW_LAG && process.stderr.write(`lag ${lag.toFixed(1)} ms\n`)
    expect(lag).toBeLessThan(100)
    expect((await driver.connect()).port).not.toBe(before.port)
    await old.start()
  })

  it('is not misled by a stale sentinel, before or after a failover', async () => {
    const stale = await new FakeSentinel(await group.master()).listen()
    ends.push(() => stale.close())
    const driver = drive({}, [stale, ...group.addresses.slice(0, 2)])
    await driver.connect()
    driver.onMoved = () => void driver.connect().catch(() => {})
    const after = await group.failover()
    await until('it was told to move', () => driver.moves.length > 0)
    expect(await driver.connect()).toMatchObject(after)
    stale.publish('+switch-master', `${group.name} 127.0.0.1 ${after.port} 127.0.0.1 1`)
    const later = performance.now() + 1500
    await until('the burst of questions is over', () => performance.now() > later)
    expect(driver.moves).toHaveLength(1)
  })
})

describe('when all sentinels are gone', () => {
  it('reaches the last known master at once and says so, then that it is the master', async () => {
    const driver = drive()
    const master = await driver.connect()
    await killSentinels()
    const from = performance.now()
    expect(await driver.connect()).toMatchObject({ port: master.port, source: 'last-known' })
    expect(performance.now() - from).toBeLessThan(250)
    expect(driver.errors).toHaveLength(3)
    await Promise.all(group.sentinels.map((sentinel) => sentinel.start()))
    await until('the source is known', () => driver.sources.length > 0)
    expect(driver.sources).toEqual([{ host: '127.0.0.1', port: master.port, source: 'sentinel' }])
    expect(driver.moves).toEqual([])
  })

  it('refuses a last known master that has become a replica, and takes the next', async () => {
    const standalone = await startServer()
    ends.push(() => standalone.stop())
    const driver = drive({ standalone: [standalone] })
    const master = await driver.connect()
    await killSentinels()
    const other = data.servers.find(({ port }) => port !== master.port) as RedisProcess
    const old = data.servers.find(({ port }) => port === master.port) as RedisProcess
    await other.cli('REPLICAOF', 'NO', 'ONE')
    await old.cli('REPLICAOF', '127.0.0.1', other.port)
    try {
      await expect(driver.attempt()).rejects.toThrow('is a replica')
      const from = performance.now()
      expect(await driver.attempt()).toMatchObject({ port: standalone.port, source: 'standalone' })
      expect(performance.now() - from).toBeLessThan(250)
    } finally {
      await old.cli('REPLICAOF', 'NO', 'ONE')
      await other.cli('REPLICAOF', '127.0.0.1', old.port)
    }
    await Promise.all(group.sentinels.map((sentinel) => sentinel.start()))
    await until('it is sent back to the master', () => driver.moves.length > 0)
    expect(await driver.connect()).toMatchObject({ port: master.port, source: 'sentinel' })
  })

  it('only reads from a last known master without replicas', async () => {
    const driver = drive()
    const master = await driver.connect()
    const replicas = data.servers.filter(({ port }) => port !== master.port)
    await killSentinels()
    for (const replica of replicas) await replica.cli('REPLICAOF', 'NO', 'ONE')
    try {
      const old = data.servers.find(({ port }) => port === master.port) as RedisProcess
      await until(
        'it is alone',
        async () => (await old.info('replication')).connected_slaves === '0',
      )
      await driver.connect()
      expect(driver.sources).toMatchObject([{ source: 'last-known', readOnly: true }])
    } finally {
      for (const replica of replicas) await replica.cli('REPLICAOF', '127.0.0.1', master.port)
    }
  })

  it('has no server with fallback off, one to read from with read-only', async () => {
    const strict = drive({ fallback: 'off' })
    const reading = drive({ fallback: 'read-only' })
    await strict.connect()
    await reading.connect()
    await killSentinels()
    await expect(strict.connect()).rejects.toMatchObject({
      code: 'ERR_L2_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED (3)'),
    })
    expect(await reading.connect()).toMatchObject({ source: 'last-known', readOnly: true })
  })
})
