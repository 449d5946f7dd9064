import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Dispatcher, request } from 'undici'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { httpPool } from '../../src/adapters/undici/http-pool.ts'
import type { HttpPoolOptions } from '../../src/adapters/undici/pool-options.ts'
import { each, refusals } from '../misuse/refusals.ts'
import { selfSigned, startTlsServer, type TlsServer } from './tls-server.ts'

let certificate: { cert: string; key: string }
const open: AsyncDisposable[] = []

beforeAll(async () => {
  certificate = await selfSigned()
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function pair(server: { http2: boolean; answerMs?: number }, options: HttpPoolOptions = {}) {
  const started: TlsServer = await startTlsServer(certificate, server)
  open.push(started)
  const pool = await httpPool({ tls: { ca: certificate.cert }, ...options })
  open.push(pool)
  return { server: started, pool }
}

describe('httpPool', () => {
  it('makes 200 calls with as many TLS handshakes as connections', async () => {
    const { server, pool } = await pair({ http2: false }, { connections: 5 })
    const texts = await Promise.all(
      Array.from({ length: 200 }, async () => (await pool.fetch(server.url)).text()),
    )
    expect(new Set(texts)).toEqual(new Set(['1.1']))
    expect(server.handshakes).toBe(5)
    expect(server.most).toBe(5)
    expect(pool.stats()).toEqual({ connections: 5, busy: 0, waiting: 0, handshakes: 5 })
  })

  it('speaks HTTP/2 where it is offered: one connection for 200 calls', async () => {
    const { server, pool } = await pair({ http2: true }, { connections: 5 })
    const texts = await Promise.all(
      Array.from({ length: 200 }, async () => (await pool.fetch(server.url)).text()),
    )
    expect(new Set(texts)).toEqual(new Set(['2.0']))
    expect(server.handshakes).toBeLessThanOrEqual(5)
    expect(server.most).toBeGreaterThan(5)
    expect(pool.stats().handshakes).toBe(server.handshakes)
  })

  it('speaks HTTP/1.1 where it is told to', async () => {
    const { server, pool } = await pair({ http2: true }, { http2: false, connections: 2 })
    expect(await (await pool.fetch(server.url)).text()).toBe('1.1')
  })

  it('is a dispatcher for the global fetch and for undici', async () => {
    const { server, pool } = await pair({ http2: true }, { connections: 2 })
    const viaGlobal = await fetch(server.url, { dispatcher: pool })
    expect(await viaGlobal.text()).toMatch(/^(1\.1|2\.0)$/)
    const viaUndici = await request(server.url, { dispatcher: pool as unknown as Dispatcher })
    expect(await viaUndici.body.text()).toBe('2.0')
    expect(pool.stats().connections).toBe(server.handshakes)
  })

  it('shows what is busy and what waits', async () => {
    const { server, pool } = await pair({ http2: false, answerMs: 50 }, { connections: 2 })
    await (await pool.fetch(server.url)).text()
    const calls = Array.from({ length: 5 }, async () => (await pool.fetch(server.url)).text())
    await new Promise((resolve) => setTimeout(resolve, 25))
    const { busy, waiting } = pool.stats()
    expect(busy + waiting).toBe(5)
    expect(waiting).toBeGreaterThanOrEqual(3)
    await Promise.all(calls)
    expect(pool.stats()).toMatchObject({ busy: 0, waiting: 0 })
  })

  it('closes what it has when its calls have ended', async () => {
    const { server, pool } = await pair({ http2: false, answerMs: 20 }, { connections: 2 })
    const call = pool.fetch(server.url).then((answer) => answer.text())
    await pool.close()
    expect(await call).toBe('1.1')
    expect(pool.stats()).toMatchObject({ connections: 0, busy: 0, waiting: 0 })
    await expect(pool.fetch(server.url)).rejects.toThrow()
  })

  it('waits for a close that is under way when it is disposed', async () => {
    const { server, pool } = await pair({ http2: false, answerMs: 20 }, { connections: 1 })
    const call = pool.fetch(server.url).then((answer) => answer.text())
    const closed = pool.close()
    await pool[Symbol.asyncDispose]()
    expect(pool.stats()).toMatchObject({ connections: 0, busy: 0, waiting: 0 })
    expect(await call).toBe('1.1')
    await closed
    await pool[Symbol.asyncDispose]()
  })

  it('does not trust a certificate it was not told of', async () => {
    const { server, pool } = await pair({ http2: false }, { tls: {} })
    await expect(pool.fetch(server.url)).rejects.toMatchObject({
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(pool.stats()).toEqual({ connections: 0, busy: 0, waiting: 0, handshakes: 0 })
  })

  it('says what to do where undici is not installed', () => {
    const module = new URL('../../src/adapters/undici/http-pool.ts', import.meta.url).href
    const program = `
      import { registerHooks } from 'node:module'
      registerHooks({
        resolve(name, context, next) {
          return next(name === 'undici' ? 'a-package-that-is-not-installed' : name, context)
        },
      })
      const { httpPool } = await import(${JSON.stringify(module)})
      await httpPool().catch(({ code, message, cause }) => console.log(code, message, cause.code))
    `
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    })
    expect([stdout, stderr]).toEqual([
      'ERR_INVALID_OPTION httpPool() needs undici 7 or 8, which could not be loaded: ' +
        'npm install undici ERR_MODULE_NOT_FOUND\n',
      '',
    ])
  })

  it('refuses wrong options with the remedy', async () => {
    const option = (name: string, values: readonly unknown[]) =>
      each(name, values, (value) => httpPool({ [name]: value }))
    expect(
      await refusals({
        ...each('options', [null, 5], (value) => httpPool(value)),
        ...option('connection', [5]),
        ...option('connections', [0, 1.5, Infinity]),
        ...option('pipelining', [0]),
        ...option('keepAlive', [0, 'long', Infinity]),
        ...option('http2', ['yes']),
        ...option('tls', [true]),
        ...option('name', [5]),
      }),
    ).toMatchInlineSnapshot(`
      "
      options: null
          httpPool() takes an options object, got null
      options: 5
          httpPool() takes an options object, got a number
      connection: 5
          unknown option of httpPool(): 'connection'; did you mean 'connections'?
      connections: 0
          connections must be a whole number ≥ 1, got 0
      connections: 1.5
          connections must be a whole number ≥ 1, got 1.5
      connections: "Infinity"
          connections must be a number from 1 to 9007199254740991, got Infinity
      pipelining: 0
          pipelining must be a whole number ≥ 1, got 0
      keepAlive: 0
          keepAlive must be longer than 0 and finite
      keepAlive: "long"
          keepAlive must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'long'
      keepAlive: "Infinity"
          keepAlive must be longer than 0 and finite
      http2: "yes"
          http2 must be true or false, got 'yes'
      tls: true
          tls must be an object as in tls.connect(), got true
      name: 5
          name must be text, got a number
      "
    `)
  })
})
