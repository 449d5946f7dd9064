import { Cluster as Cluster6, Redis as Redis6, type RedisOptions } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { afterEach, describe, expect, it } from 'vitest'
import { openClientTransport } from '../../../src/adapters/redis/ioredis/client-transport.ts'
import {
  CLIENT_WARNING,
  dangersOf,
  warnOfClientOptions,
} from '../../../src/adapters/redis/ioredis/client-warnings.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { Connection, settingsOf } from './connection.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function server(...args: Parameters<typeof startServer>) {
  const started = await startServer(...args)
  closers.push(() => started.stop())
  return started
}

const VERSIONS = [
  ['ioredis 6', Redis6, Cluster6],
  ['ioredis 5.9', Redis5 as unknown as typeof Redis6, Cluster5 as unknown as typeof Cluster6],
] as const

const CAREFUL = {
  enableOfflineQueue: false,
  commandTimeout: 100,
  socketTimeout: 300,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
}

describe.each(VERSIONS)('a client of the user, %s', (_version, Redis, Cluster) => {
  function use(port: number, options: RedisOptions & { replyMapping?: 'legacy' } = {}) {
    const client = new Redis({
      port,
      host: '127.0.0.1',
      retryStrategy: () => 30,
      ...options,
    })
    client.on('error', () => {})
    const connection = new Connection(
      openClientTransport(settingsOf(port, { target: { kind: 'client', client } })),
    )
    closers.push(async () => {
      await connection.transport.close()
      client.disconnect()
    })
    return { client, connection }
  }

  it('carries commands, bytes and messages', async () => {
    const { port } = await server()
    const { client, connection } = use(port)
    expect(await connection.ready()).toMatchObject({ source: 'client', lineage: 'first' })
    connection.transport.subscribe(['news'])
    await until('subscribed', () => connection.subscriptions === 1)
    const bytes = new Uint8Array([0, 255, 13, 10])
    const replies = await connection.transport.send('', [
      ['SET', 'k', bytes],
      ['GET', 'k'],
      ['LPUSH', 'k', 'x'],
      ['PUBLISH', 'news', 'hello'],
    ])
    expect(replies[1]).toEqual(Buffer.from(bytes))
    expect((replies[2] as Error).message).toMatch(/^WRONGTYPE/)
    expect(await connection.send(['PING'])).toEqual(['PONG'])
    await until('the message', () => connection.messages.includes('news hello'))
    expect(await client.getBuffer('k')).toEqual(Buffer.from(bytes))
  })

  it('keeps its keys and channels whatever keyPrefix and database the client has', async () => {
    const started = await server()
    const { client, connection } = use(started.port, { keyPrefix: 'app:', db: 3 })
    await connection.ready()
    connection.transport.subscribe(['news'])
    await until('subscribed', () => connection.subscriptions === 1)
    await connection.send(['SET', 'k', 'v'], ['PUBLISH', 'news', 'hello'])
    await until('the message', () => connection.messages.includes('news hello'))
    expect(await client.keys('*')).toEqual(['k'])
    expect(client.options.keyPrefix).toBe('app:')
  })

  it('wakes a lazy client, and never closes it', async () => {
    const { port } = await server()
    const { client, connection } = use(port, { lazyConnect: true })
    await connection.ready()
    await connection.transport.close()
    expect(await client.ping()).toBe('PONG')
    expect(client.listenerCount('ready')).toBe(0)
  })

  it('rejects at once when the connection is lost, though the client would send again', async () => {
    const started = await server()
    const { connection } = use(started.port)
    await connection.ready()
    const lost = connection.send(['BLPOP', 'nothing', 1]).catch((error: Error) => error)
    await started.kill()
    expect(await lost).toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    await connection.down(/ECONNRE/)
    await expect(connection.send(['PING'])).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    await started.restart()
    expect(await connection.ready(2)).toMatchObject({ lineage: 'other' })
    expect(await connection.send(['PING'])).toEqual(['PONG'])
  })

  it('sends nothing to a silent server but one question, and is back when that is answered', async () => {
    const started = await server()
    const { client, connection } = use(started.port)
    await connection.ready()
    const ended: unknown[] = []
    started.stopSignal()
    for (let at = 0; at < 4; at++) {
      connection.send(['GET', at]).catch((error: Error) => ended.push(error))
    }
    await connection.down(/time-out/)
    await until('all are told', () => ended.length === 4)
    const owed = () => (client as unknown as { commandQueue: { length: number } }).commandQueue
    expect(owed().length).toBe(5)
    for (let at = 0; at < 20; at++) {
      await expect(connection.send(['GET', at])).rejects.toThrow(/time-out/)
    }
    expect(owed().length).toBe(5)
    started.continueSignal()
    expect(await connection.ready(2)).toMatchObject({ lineage: 'same' })
    expect(await connection.send(['PING'])).toEqual(['PONG'])
    expect(connection.count('down')).toBe(1)
  })

  it('tells of a user who may not listen, and listens as soon as that one may', async () => {
    const started = await server()
    await started.cli('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', '+@all', 'resetchannels')
    const { connection } = use(started.port, { username: 'deaf', password: 'pw' })
    await connection.ready()
    connection.transport.subscribe(['news'])
    await until('the denial', () => connection.denials.length === 1)
    expect(connection.denials[0]?.message).toMatch(/^NOPERM/)
    expect(connection.state?.state).toBe('ready')
    await started.cli('ACL', 'SETUSER', 'deaf', '&*')
    await until('subscribed', () => connection.subscriptions === 1, { withinMs: 9000 })
    expect(connection.denials).toHaveLength(1)
  }, 15_000)

  it('does not use a replica, and comes back to it when it is promoted', async () => {
    const started = await server()
    const { connection } = use(started.port)
    await connection.ready()
    await started.cli('REPLICAOF', '127.0.0.1', '1')
    const [reply] = await connection.send(['SET', 'k', 'v'])
    expect((reply as Error).message).toMatch(/^READONLY/)
    await connection.down(/replica/)
    await expect(connection.send(['SET', 'k', 'v'])).rejects.toThrow(/replica/)
    await started.cli('REPLICAOF', 'NO', 'ONE')
    await connection.ready(2)
  })

  it('says so when its owner has closed it', async () => {
    const { port } = await server()
    const { client, connection } = use(port)
    await connection.ready()
    await client.quit()
    await connection.down(/was closed/)
  })

  it('is reported once with what endangers the cache', async () => {
    const warnings: NodeJS.ErrnoException[] = []
    const listener = (warning: Error): void => {
      warnings.push(warning)
    }
    process.on('warning', listener)
    const careless = new Redis({ lazyConnect: true, keyPrefix: 'app:' })
    const careful = new Redis({ lazyConnect: true, ...CAREFUL })
    warnOfClientOptions(careless)
    warnOfClientOptions(careless)
    warnOfClientOptions(careful)
    await until('the warning', () => warnings.length > 0)
    process.off('warning', listener)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.code).toBe(CLIENT_WARNING)
    for (const option of [...Object.keys(CAREFUL), 'keyPrefix']) {
      expect(warnings[0]?.message).toContain(option)
    }
    careless.disconnect()
    careful.disconnect()
  })

  it('is understood where it is a Cluster, whose options stand in two places', () => {
    const { enableOfflineQueue, ...nodes } = CAREFUL
    const careful = new Cluster([{ port: 1 }], {
      lazyConnect: true,
      enableOfflineQueue,
      redisOptions: nodes,
    })
    expect(dangersOf(careful.options as never)).toEqual([])
    const careless = new Cluster([{ port: 1 }], { lazyConnect: true })
    expect(dangersOf(careless.options as never)).toHaveLength(4)
    careful.disconnect()
    careless.disconnect()
  })
})
