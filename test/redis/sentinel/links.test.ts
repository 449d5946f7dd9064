import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Endpoint } from '../../../src/adapters/redis/ioredis/discovery.ts'
import { NameLookup } from '../../../src/adapters/redis/ioredis/name-lookup.ts'
import { RespReader } from '../../../src/adapters/redis/ioredis/resp-reader.ts'
import { SentinelLinks } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'
import { realClock } from '../../../src/kernel/real-clock.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { FakeSentinel, type Says } from './fake-sentinel.ts'
import { settingsOf, targetOf } from './settings.ts'

const MASTER = { host: '10.0.0.1', port: 6379 }
const fakes: FakeSentinel[] = []

async function fake(says: Says): Promise<FakeSentinel> {
  const sentinel = await new FakeSentinel(says).listen()
  fakes.push(sentinel)
  return sentinel
}

afterEach(async () => {
  await Promise.all(fakes.splice(0).map((each) => each.close()))
})

function linksTo(sentinel: Endpoint): SentinelLinks {
  const target = targetOf([sentinel])
  return new SentinelLinks(target, settingsOf(target), realClock, new NameLookup(realClock))
}

describe('asking one sentinel', () => {
  it('gives the address and closes the connection', async () => {
    const sentinel = await fake(MASTER)
    expect(await linksTo(sentinel).ask(sentinel)).toEqual({ address: MASTER, replicas: 0 })
    await until('the socket is closed', () => sentinel.open === 0)
  })

  it('tells an unknown name from a failure', async () => {
    const sentinel = await fake(null)
    expect((await linksTo(sentinel).ask(sentinel)).address).toBeUndefined()
  })

  it('gives up on a silent one after 250 ms and destroys the socket', async () => {
    const sentinel = await fake('nothing')
    const from = performance.now()
    await expect(linksTo(sentinel).ask(sentinel)).rejects.toMatchObject({ code: 'time-out' })
    expect(performance.now() - from).toBeLessThan(500)
    await until('the socket is closed', () => sentinel.open === 0)
  })

  it.each([
    ['garbage', 'HTTP/1.1 400 Bad Request\r\n\r\n', /Protocol error/],
    ['an endless text', '$999999999999\r\n', /Protocol error/],
    ['endless nesting', '*1\r\n'.repeat(1000), /Protocol error/],
    ['a missing password', '-NOAUTH Authentication required.\r\n'.repeat(2), /NOAUTH/],
  ])('refuses %s', async (_, bytes, message) => {
    const sentinel = await fake({ bytes })
    await expect(linksTo(sentinel).ask(sentinel)).rejects.toThrow(message)
    await until('the socket is closed', () => sentinel.open === 0)
  })

  it('takes an impossible address for none', async () => {
    const sentinel = await fake({ host: '10.0.0.1', port: 99_999 })
    expect((await linksTo(sentinel).ask(sentinel)).address).toBeUndefined()
  })

  it('destroys what is under way on close', async () => {
    const sentinel = await fake('nothing')
    const links = linksTo(sentinel)
    const asked = links.ask(sentinel)
    await until('it is connected', () => sentinel.open === 1)
    links.close()
    await expect(asked).rejects.toThrow('closed')
    await until('the socket is closed', () => sentinel.open === 0)
  })
})

describe('over TLS', () => {
  it('checks the certificate, and tells a data node from a sentinel', async () => {
    const { good, otherCa } = await makeCertificates()
    const server = await startServer({ tls: good })
    const node = { host: 'localhost', port: server.port }
    const linksWith = (ca: string) => {
      const tls = { ca: readFileSync(ca) }
      const target = targetOf([node], { sentinelTls: tls })
      return new SentinelLinks(
        target,
        settingsOf(target, { tls }),
        realClock,
        new NameLookup(realClock),
      )
    }
    try {
      expect(await linksWith(good.ca).isMaster(node)).toBe(true)
      await expect(linksWith(good.ca).ask(node)).rejects.toMatchObject({ code: 'not a sentinel' })
      await expect(linksWith(otherCa).ask(node)).rejects.toMatchObject({
        code: expect.stringMatching(/CERT|VERIFY|SIGNATURE/),
      })
    } finally {
      await server.stop()
    }
  })
})

describe('reading replies', () => {
  const WIRE = '+OK\r\n-ERR no\r\n:7\r\n$-1\r\n*2\r\n$3\r\na\r\n\r\n$0\r\n\r\n*-1\r\n'
  const bytes = (text: string): Buffer => Buffer.from(text)
  const VALUES = [bytes('OK'), new Error('ERR no'), 7, null, [bytes('a\r\n'), bytes('')], null]

  it('does not depend on how the bytes are cut', () => {
    for (let cut = 1; cut < WIRE.length; cut++) {
      const reader = new RespReader(1024)
      const values = [
        ...reader.push(Buffer.from(WIRE.slice(0, cut))),
        ...reader.push(Buffer.from(WIRE.slice(cut))),
      ]
      expect(values).toEqual(VALUES)
    }
  })
})
