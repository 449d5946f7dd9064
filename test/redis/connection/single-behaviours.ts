import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { FixedDiscovery } from '../../../src/adapters/redis/ioredis/fixed-discovery.ts'
import { openSingleTransport } from '../../../src/adapters/redis/ioredis/single-transport.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { freePort } from '../servers/ports.ts'
import { startProxy } from '../servers/proxy.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { Connection, connect, settingsOf } from './connection.ts'

/** Run with both versions of the client. */
export function singleBehaviours(): void {
  const closers: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
  })

  function open(...args: Parameters<typeof connect>): Connection {
    const connection = connect(...args)
    closers.push(() => connection.transport.close())
    return connection
  }

  async function server(...args: Parameters<typeof startServer>) {
    const started = await startServer(...args)
    closers.push(() => started.stop())
    return started
  }

  describe('a connection to one server', () => {
    it('sends commands in one round trip and gives bytes, numbers and errors in their places', async () => {
      const { port } = await server()
      const connection = open(port)
      expect(await connection.ready()).toMatchObject({ source: 'standalone', lineage: 'first' })
      const bytes = new Uint8Array([0, 255, 13, 10]).subarray(1)
      const replies = await connection.transport.send('', [
        ['SET', 'k', bytes],
        ['GET', 'k'],
        ['INCRBY', 'n', 7],
        ['LPUSH', 'k', 'x'],
        ['GET', 'missing'],
        ['MGET', 'k', 'missing'],
      ])
      expect(replies[1]).toEqual(Buffer.from(bytes))
      expect(replies.slice(4)).toEqual([null, [Buffer.from(bytes), null]])
      expect(replies[2]).toBe(7)
      expect(replies[3]).toBeInstanceOf(Error)
      expect((replies[3] as Error).message).toMatch(/^WRONGTYPE/)
      // The client adds keys and values to its errors.
      expect(replies[3]).not.toHaveProperty('command')
    })

    it('rejects before it is connected, and never queues', async () => {
      const port = await freePort()
      const connection = open(port)
      await expect(connection.send(['PING'])).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
      await connection.down(/ECONNREFUSED/)
      await expect(connection.send(['PING'])).rejects.toThrow(/ECONNREFUSED.*check/)
    })

    it('is ready within 100 ms after a server that was refused accepts', async () => {
      const port = await freePort()
      const connection = open(port)
      await connection.down(/ECONNREFUSED/)
      // Long enough for the pauses to have grown as far as they do.
      await until('some attempts', () => performance.now() - (connection.state?.at ?? 0) > 400)
      const { url } = await server({ port })
      const accepts = performance.now()
      expect(url).toContain(String(port))
      const { at } = await connection.ready()
      expect(at - accepts).toBeLessThan(100)
      // One failure, one line, however many attempts.
      expect(connection.count('down')).toBe(1)
    })

    it('rejects what is under way when the server dies, and calls a restarted one another', async () => {
      const started = await server()
      const connection = open(started.port)
      await connection.ready()
      const lost = connection.send(['BLPOP', 'nothing', 5]).catch((error: Error) => error)
      await started.kill()
      expect(await lost).toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
      await started.restart()
      expect(await connection.ready(2)).toMatchObject({ lineage: 'other' })
      expect(await connection.send(['PING'])).toEqual(['PONG'])
    })

    it('gives up a frozen server after three deadlines and is back at once when it thaws', async () => {
      const started = await server()
      const connection = open(started.port)
      await connection.ready()
      started.stopSignal()
      const begin = performance.now()
      await expect(connection.send(['GET', 'k'])).rejects.toThrow(/time-out/)
      const took = performance.now() - begin
      expect(took).toBeGreaterThan(140)
      expect(took).toBeLessThan(400)
      await new Promise((resolve) => setTimeout(resolve, 1200))
      started.continueSignal()
      const thawed = performance.now()
      const { at, lineage } = await connection.ready(2)
      expect(at - thawed).toBeLessThan(1500)
      expect(lineage).toBe('same')
    })

    it('finds out by itself that an idle connection is dead', async () => {
      const started = await server()
      const connection = open(started.port)
      await connection.ready()
      started.stopSignal()
      const { at } = await connection.down(/time-out/)
      expect(at - (connection.states[0]?.at ?? 0)).toBeLessThan(2000)
      started.continueSignal()
      await connection.ready(2)
    })

    it('does not take a busy event loop of its own for a silent server', async () => {
      const { port } = await server()
      const connection = open(port)
      await connection.ready()
      const reply = connection.send(['PING'])
      const begin = performance.now()
      while (performance.now() - begin < 700) {}
      expect(await reply).toEqual(['PONG'])
      expect(connection.states).toHaveLength(1)
    })

    it('is the same server after a cut, and keeps the subscription that was not cut', async () => {
      const started = await server()
      const connection = open(started.port)
      connection.transport.subscribe(['news'])
      await until('subscribed', () => connection.subscriptions === 1)
      await started.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      expect(await connection.ready(2)).toMatchObject({ lineage: 'same' })
      await connection.send(['PUBLISH', 'news', 'hello'])
      await until('the message', () => connection.messages.includes('news hello'))
      expect(connection.subscriptions).toBe(1)
    })

    it('subscribes anew when the subscription alone is lost, and tells', async () => {
      const started = await server()
      const connection = open(started.port)
      connection.transport.subscribe(['news'])
      await until('subscribed', () => connection.subscriptions === 1)
      await started.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await until('again', () => connection.subscriptions === 2)
      await connection.send(['PUBLISH', 'news', 'hello'])
      await until('the message', () => connection.messages.includes('news hello'))
      expect(connection.states).toHaveLength(1)
    })

    it('notices within two seconds that the subscription is silently dead', async () => {
      const started = await server()
      const proxy = await startProxy({ target: started })
      closers.push(() => proxy.stop())
      const connection = open(proxy.port)
      connection.transport.subscribe(['news'])
      await until('subscribed', () => connection.subscriptions === 1)
      proxy.set({ kind: 'black-hole' }, 'both')
      // What is held comes through when it heals, so a subscription that is still there has lost nothing.
      await new Promise((resolve) => setTimeout(resolve, 2000))
      await proxy.heal()
      await connection.ready(2)
      await until('again', () => connection.subscriptions === 2, { withinMs: 1500 })
      await connection.send(['PUBLISH', 'news', 'hello'])
      await until('the message', () => connection.messages.includes('news hello'))
    })

    it('replaces its channels', async () => {
      const { port } = await server()
      const connection = open(port)
      connection.transport.subscribe(['a', 'b'])
      await until('subscribed', () => connection.subscriptions === 1)
      connection.transport.subscribe(['b', 'c'])
      await until('subscribed to c', () => connection.subscriptions === 2)
      await connection.send(['PUBLISH', 'a', '1'], ['PUBLISH', 'b', '2'], ['PUBLISH', 'c', '3'])
      await until('two messages', () => connection.messages.length === 2)
      expect(connection.messages).toEqual(['b 2', 'c 3'])
    })

    it('uses several connections in turn, all of them to the checked server', async () => {
      const started = await server()
      const connection = open(started.port, { connections: 3, db: 2 })
      await connection.ready()
      const ids = new Set<unknown>()
      await until('three connections', async () => {
        for (const id of await connection.send(['CLIENT', 'ID'])) ids.add(id)
        return ids.size === 3
      })
      await connection.send(['SET', 'k', 'v'])
      expect(await started.cli('DBSIZE')).toBe(0)
      await started.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await connection.ready(2)
      const after = new Set<unknown>()
      await until('three others', async () => {
        for (const id of await connection.send(['CLIENT', 'ID'])) after.add(id)
        return after.size === 3
      })
    })
  })

  describe('what a server may not let us do', () => {
    it('logs in, tells a wrong password once and slowly, and a missing one', async () => {
      const started = await server({ requirepass: 'right' })
      const wrong = open(started.port, { credentials: { password: 'hunter2' } })
      const none = open(started.port)
      const right = open(started.port, { credentials: { username: 'default', password: 'right' } })
      await right.ready()
      const told = await wrong.down(/WRONGPASS/)
      expect(told.error?.message).not.toContain('hunter2')
      await none.down(/NOAUTH/)
      const before = await started.info('stats')
      await new Promise((resolve) => setTimeout(resolve, 600))
      const after = await started.info('stats')
      expect(after.total_connections_received).toBe(before.total_connections_received)
      expect(wrong.states).toHaveLength(1)
    })

    it('is used again within 30 s after credentials are repaired', {
      timeout: 30_000,
    }, async () => {
      const started = await server({ requirepass: 'old' })
      const connection = open(started.port, { credentials: { password: 'new' } })
      await connection.down(/WRONGPASS/)
      await started.cli('CONFIG', 'SET', 'requirepass', 'new')
      const repaired = performance.now()
      await until('ready', () => connection.count('ready') === 1, { withinMs: 20_000 })
      expect(performance.now() - repaired).toBeGreaterThan(3000)
    })

    it('goes on where a password was given to a server that asks for none, and prints nothing', async () => {
      const { port } = await server()
      const connection = open(port, { credentials: { password: 'unneeded' } })
      await connection.ready()
    })

    it('uses a server that an ACL user may not ask what it is', async () => {
      const started = await server()
      await started.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~rc:*', '&rc:*', '+get', '+set')
      const connection = open(started.port, { credentials: { username: 'app', password: 'pw' } })
      expect(await connection.ready()).toMatchObject({ lineage: 'first' })
      await started.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      // By its address: there is nothing else to tell it by.
      expect(await connection.ready(2)).toMatchObject({ lineage: 'same' })
      const [first, second] = await connection.send(['SET', 'rc:k', 'v'], ['GET', 'other'])
      expect(first).toBe('OK')
      expect((second as Error).message).toMatch(/^NOPERM/)
    })

    it('waits for a server that loads its data without connecting again', async () => {
      const started = await server({
        args: ['--key-load-delay', '400', '--loading-process-events-interval-bytes', '1024'],
      })
      await started.cli('DEBUG', 'POPULATE', '2500')
      await started.cli('SAVE')
      const loading = started.restart({ whileLoading: true })
      await loading
      const connection = open(started.port)
      await connection.down(/LOADING/)
      const { at } = await connection.ready()
      const stats = await started.info('stats')
      const persistence = await started.info('persistence')
      expect(persistence.loading).toBe('0')
      expect(Number(stats.total_connections_received)).toBeLessThan(6)
      expect(performance.now() - at).toBeLessThan(500)
      expect(await connection.send(['PING'])).toEqual(['PONG'])
    })

    it('refuses a replica, and leaves a master that becomes one', async () => {
      const master = await server()
      const replica = await server({ replicaOf: { port: master.port } })
      const wrong = open(replica.port)
      await wrong.down(/replica.*master/)
      const connection = open(master.port)
      await connection.ready()
      await master.cli('REPLICAOF', '127.0.0.1', String(replica.port))
      const [reply] = await connection.send(['SET', 'k', 'v'])
      expect((reply as Error).message).toMatch(/^READONLY/)
      await connection.down(/replica/)
      await expect(connection.send(['SET', 'k', 'v'])).rejects.toThrow(/replica/)
      await master.cli('REPLICAOF', 'NO', 'ONE')
      await connection.ready(2)
    })

    it('tells a node of a cluster what to write instead', async () => {
      const started = await server({ args: ['--cluster-enabled', 'yes'] })
      const connection = open(started.port)
      await connection.down(/cluster: \[/)
    })

    it('names a database that is not there', async () => {
      const { port } = await server()
      await open(port, { db: 99 }).down(/no database 99/)
    })

    it('names a host name that does not resolve', async () => {
      const endpoint = { host: 'nowhere.invalid', port: 6380 }
      const connection = new Connection(
        openSingleTransport(settingsOf(6380), () => new FixedDiscovery(endpoint)),
      )
      closers.push(() => connection.transport.close())
      await connection.down(/cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)/)
    })

    it('passes over garbage to a new connection', async () => {
      const started = await server()
      const proxy = await startProxy({ target: started })
      closers.push(() => proxy.stop())
      const connection = open(proxy.port)
      await connection.ready()
      proxy.set({ kind: 'garbage' })
      await expect(connection.send(['GET', 'k'])).rejects.toThrow(/protocol|cut/)
      await proxy.heal()
      await connection.ready(2)
    })
  })

  describe('TLS', () => {
    it('trusts what it is told to, and names what is wrong otherwise', async () => {
      const certificates = await makeCertificates()
      const ca = readFileSync(certificates.good.ca)
      const good = await server({ tls: certificates.good })
      const expired = await server({ tls: certificates.expired })
      const wrongName = await server({ tls: certificates.wrongName })
      const plain = await server()
      const connection = open(good.port, { tls: { ca } })
      connection.transport.subscribe(['news'])
      await connection.ready()
      expect(await connection.send(['PING'], ['PING'])).toEqual(['PONG', 'PONG'])
      await until('subscribed', () => connection.subscriptions === 1)
      await open(good.port, { tls: {} }).down(/not trusted.*tls\.ca/)
      await open(expired.port, { tls: { ca } }).down(/expired/)
      await open(wrongName.port, { tls: { ca } }).down(/another name/)
      await open(plain.port, { tls: { ca } }).down(/TLS/)
      await open(good.port).down(/TLS/)
    })
  })
}
