import { existsSync, readFileSync } from 'node:fs'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { makeCertificates } from './certificates.ts'
import { startCluster } from './cluster.ts'
import { startReplicated } from './replicated.ts'
import { startSentinels } from './sentinels.ts'
import { startServer } from './server.ts'
import { until } from './until.ts'

const started: { stop(): Promise<void> }[] = []

function stopLater<T extends { stop(): Promise<void> }>(group: T): T {
  started.push(group)
  return group
}

afterEach(async () => {
  for (const group of started.splice(0).reverse()) await group.stop()
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a server', () => {
  it('answers commands and gives bytes back as they are', async () => {
    const server = stopLater(await startServer())
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    expect(await server.cli('SET', 'key', bytes)).toBe('OK')
    expect(await server.cliBytes('GET', 'key')).toEqual(bytes)
    expect(await server.cli('LRANGE', 'none', 0, -1)).toEqual([])
    expect(await server.cli('GET', 'none')).toBeNull()
    await expect(server.cli('LPUSH', 'key', 1)).rejects.toThrow(/^WRONGTYPE/)
    expect(await server.cli('DEBUG', 'SLEEP', 0)).toBe('OK')
  })

  it('comes back on its port without its data', async () => {
    const server = stopLater(await startServer({ args: ['--maxmemory', '5mb'] }))
    const before = server.pid
    await server.cli('SET', 'key', 'value')
    await server.kill()
    expect(server.running).toBe(false)
    await expect(server.cli('PING')).rejects.toThrow(/ECONNREFUSED|closed/)
    await server.restart()
    expect(server.pid).not.toBe(before)
    expect(await server.cli('GET', 'key')).toBeNull()
    expect(await server.cli('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '5242880'])
  })

  it('is silent while stopped and answers when it goes on', async () => {
    const server = stopLater(await startServer())
    await server.cli('PING')
    server.stopSignal()
    let answered = false
    const answer = server.cli('PING').finally(() => {
      answered = true
    })
    await until('a turn has passed', () => new Promise((resolve) => setTimeout(resolve, 50, true)))
    expect(answered).toBe(false)
    server.continueSignal()
    expect(await answer).toBe('PONG')
  })

  it('leaves no process and no folder when it was stopped while frozen', async () => {
    const server = await startServer()
    const { pid, folder } = server
    server.stopSignal()
    await server.stop()
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(folder)).toBe(false)
  })

  it('tells why it did not start', async () => {
    await expect(startServer({ args: ['--no-such-option', '1'] })).rejects.toThrow(/no-such-option/)
    const server = stopLater(await startServer())
    await expect(startServer({ port: server.port })).rejects.toThrow(/in use/)
  })

  it('can be used while it loads', async () => {
    const server = stopLater(
      await startServer({ args: ['--loading-process-events-interval-bytes', '1024'] }),
    )
    await server.cli('DEBUG', 'POPULATE', 2_000, 'key', 100)
    await server.cli('SAVE')
    await server.restart({ whileLoading: true, args: ['--key-load-delay', '500'] })
    await until('it says LOADING', () =>
      server.cli('GET', 'x').then(
        () => false,
        (error: Error) => error.message.startsWith('LOADING'),
      ),
    )
    await until('it is loaded', () => server.cli('DBSIZE'))
  })

  it('gets a password and TLS', async () => {
    const { good } = await makeCertificates()
    const server = stopLater(await startServer({ tls: good, requirepass: 'se cret' }))
    expect(server.url).toBe(`rediss://:se%20cret@127.0.0.1:${server.port}`)
    expect(await server.cli('PING')).toBe('PONG')
  })
})

describe('certificates', () => {
  it.each([
    ['good', 'good', undefined],
    ['expired', 'good', 'CERT_HAS_EXPIRED'],
    ['wrongName', 'good', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['good', 'other', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ] as const)('%s, with the %s authority: a client sees %s', async (name, authority, code) => {
    const certificates = await makeCertificates()
    const server = stopLater(await startServer({ tls: certificates[name] }))
    const ca = authority === 'good' ? certificates.good.ca : certificates.otherCa
    expect(await codeOf(server.port, ca)).toBe(code)
  })

  async function codeOf(port: number, ca: string): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const socket = connectTls({ port, host: '127.0.0.1', ca: readFileSync(ca) })
    socket.once('secureConnect', () => resolve(undefined))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    try {
      return await promise
    } finally {
      socket.destroy()
    }
  }
})

describe('groups', () => {
  it('replicas follow their master', async () => {
    const { master, replicas } = stopLater(await startReplicated({ replicas: 2, requirepass: 'x' }))
    await master.cli('SET', 'key', 'value')
    expect(await master.cli('WAIT', 2, 5_000)).toBe(2)
    for (const replica of replicas) expect(await replica.cli('GET', 'key')).toBe('value')
    await expect(replicas[0]?.cli('SET', 'key', 'other')).rejects.toThrow(/^READONLY/)
  })

  it('sentinels name another master when theirs dies, and know the old one as a replica later', async () => {
    const group = stopLater(await startReplicated({ replicas: 1 }))
    const sentinels = stopLater(await startSentinels(group.master))
    expect((await sentinels.master()).port).toBe(group.master.port)
    await group.master.kill()
    // All of them: one that has not heard of the new master yet might elect the old one again.
    for (const sentinel of sentinels.sentinels) {
      await until('the replica is the master', async () => {
        return (await sentinels.master(sentinel)).port === group.replicas[0]?.port
      })
    }
    await group.master.restart()
    await until('the old master is a replica', async () => {
      return (await group.master.info('replication')).role === 'slave'
    })
    await sentinels.sentinels[0]?.restart()
    await sentinels.settle(1)
  })

  it('sentinels fail over on request', async () => {
    const group = stopLater(await startReplicated({ replicas: 1, requirepass: 'x' }))
    const sentinels = stopLater(await startSentinels(group.master, { sentinelPassword: 'y' }))
    expect((await sentinels.failover()).port).toBe(group.replicas[0]?.port)
  })

  it('a cluster serves all slots and promotes a replica', async () => {
    const cluster = stopLater(await startCluster({ replicas: 1, nodeTimeoutMs: 1_000 }))
    const owner = await cluster.ownerOf('key')
    expect(await owner.cli('SET', 'key', 'value')).toBe('OK')
    await owner.kill()
    const heir = await until('another node serves the slot', async () => {
      const now = await cluster.ownerOf('key')
      return now !== owner && now.running ? now : undefined
    })
    await cluster.settle()
    expect(cluster.replicas).toContain(heir)
    expect(await heir.cli('SET', 'key', 'value')).toBe('OK')
  })
})
