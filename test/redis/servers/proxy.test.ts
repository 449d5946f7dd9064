import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort, releasePort } from './ports.ts'
import { type FaultProxy, startProxy } from './proxy.ts'
import { until } from './until.ts'

let port: number
let proxy: FaultProxy
const clients: Client[] = []
const served = new Set<Socket>()
const echo = createServer((socket) => {
  served.add(socket)
  socket.on('error', () => {}).once('close', () => served.delete(socket))
  socket.on('data', (bytes) => socket.writable && socket.write(bytes))
})

beforeAll(async () => {
  port = await freePort()
  await once(echo.listen(port, '127.0.0.1'), 'listening')
})
afterAll(() => {
  echo.close()
  releasePort(port)
})
beforeEach(async () => {
  proxy = await startProxy({ target: { port } })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy()
  await proxy.stop()
  await until('the server has no connection', () => served.size === 0)
})

/** Sends text and remembers what came back. */
class Client {
  readonly socket: Socket
  #chunks: Buffer[] = []
  ending: string | undefined

  constructor() {
    this.socket = connect(proxy.port, '127.0.0.1')
    this.socket.on('data', (bytes) => this.#chunks.push(bytes))
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ending = error.code ?? error.message
    })
    this.socket.on('close', () => {
      this.ending ??= 'closed'
    })
    clients.push(this)
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1')
  }

  forget(): void {
    this.#chunks = []
  }

  async asks(text: string): Promise<string> {
    const before = this.text.length
    this.socket.write(text)
    await until(`an answer to ${text}`, () => this.text.length >= before + text.length)
    return this.text.slice(before)
  }
}

async function quiet(ms = 40): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

async function connected(): Promise<Client> {
  const client = new Client()
  expect(await client.asks('hello')).toBe('hello')
  client.forget()
  return client
}

describe('the proxy', () => {
  it('passes bytes and ends, and counts connections', async () => {
    const before = performance.now()
    const client = await connected()
    expect([proxy.open, proxy.accepted]).toEqual([1, 1])
    expect(proxy.acceptedAt[0]).toBeGreaterThanOrEqual(before)
    client.socket.end()
    await until('the end came through', () => client.ending === 'closed')
    await until('it is forgotten', () => proxy.open === 0)
    expect(proxy.accepted).toBe(1)
  })

  it('refuses new connections, keeps the open one and accepts again', async () => {
    const client = await connected()
    await proxy.refuse()
    const refused = new Client()
    await until('it is refused', () => refused.ending === 'ECONNREFUSED')
    expect(await client.asks('still')).toBe('still')
    await proxy.heal()
    await connected()
  })

  it('rejects new connections and counts them', async () => {
    proxy.rejectNew()
    const rejected = new Client()
    await until('it is reset', () => rejected.ending === 'ECONNRESET')
    expect(proxy.accepted).toBe(1)
    await proxy.heal()
    await connected()
  })

  it('is a black hole for old and new connections, and delivers late when it heals', async () => {
    const client = await connected()
    proxy.set({ kind: 'black-hole' }, 'both')
    client.socket.write('late')
    const other = new Client()
    other.socket.write('other')
    for (const socket of served) socket.end()
    await quiet()
    expect([client.text, client.ending]).toEqual(['', undefined])
    expect([other.text, other.ending]).toEqual(['', undefined])
    expect(other.socket.connecting).toBe(false)
    await proxy.heal()
    await until('the end comes through', () => client.ending === 'closed')
    await until('it came late', () => other.text === 'other' || other.ending)
  })

  it('delays what comes, in order', async () => {
    const client = await connected()
    proxy.set({ kind: 'delay', ms: 60 })
    const before = performance.now()
    client.socket.write('a')
    await quiet(20)
    client.socket.write('b')
    await until('the first arrives', () => client.text !== '')
    expect(performance.now() - before).toBeGreaterThan(55)
    await until('the second arrives', () => client.text === 'ab')
    // A latency, not a rate: the second waited beside the first.
    expect(performance.now() - before).toBeLessThan(115)
    client.socket.write('c')
    await quiet(10)
    proxy.set({ kind: 'pass' })
    client.socket.write('d')
    await until('both arrive', () => client.text.length === 4)
    expect(client.text).toBe('abcd')
  })

  it('dribbles', async () => {
    const client = await connected()
    const pieces: number[] = []
    client.socket.on('data', (bytes) => pieces.push(bytes.length))
    proxy.set({ kind: 'dribble', bytes: 2, everyMs: 3 })
    expect(await client.asks('0123456789')).toBe('0123456789')
    expect(pieces.length).toBeGreaterThanOrEqual(4)
  })

  it('cuts one connection after some bytes with a reset', async () => {
    const client = await connected()
    proxy.set({ kind: 'cut', afterBytes: 4 })
    client.socket.write('0123456789')
    await until('it is reset', () => client.ending === 'ECONNRESET')
    expect(client.text).toBe('0123')
    await until('the server lost it too', () => served.size === 0)
    expect(await (await connected()).asks('next')).toBe('next')
  })

  it('stalls one connection after some bytes until it heals', async () => {
    const client = await connected()
    proxy.set({ kind: 'stall', afterBytes: 4 })
    client.socket.write('0123456789')
    await until('the first bytes arrive', () => client.text === '0123')
    await quiet()
    expect([client.text, client.ending]).toEqual(['0123', undefined])
    await connected()
    proxy.set({ kind: 'pass' })
    await until('the rest arrives', () => client.text === '0123456789')
  })

  it('replaces one reply by garbage', async () => {
    const client = await connected()
    proxy.set({ kind: 'garbage' })
    client.socket.write('x')
    await until('garbage arrives', () => client.text === '?!garbage\r\n')
    expect(await client.asks('y')).toBe('y')
  })

  it('flips one byte, as often as told', async () => {
    const client = await connected()
    const other = await connected()
    proxy.set({ kind: 'flip', atByte: 2, times: 2 })
    expect(await client.asks('aaaa')).toBe(`aa${String.fromCharCode(0x61 ^ 0xff)}a`)
    expect(await other.asks('aaaa')).not.toBe('aaaa')
    expect(await client.asks('aaaa')).toBe('aaaa')
  })

  it('treats requests apart from replies', async () => {
    const client = await connected()
    proxy.set({ kind: 'flip', atByte: 0 }, 'requests')
    expect(await client.asks('a')).toBe(String.fromCharCode(0x61 ^ 0xff))
  })

  it('stops reading, so that the buffers of the sender fill', async () => {
    const client = await connected()
    proxy.set({ kind: 'pause' }, 'requests')
    const flood = Buffer.alloc(1_000_000)
    for (let index = 0; index < 40; index += 1) client.socket.write(flood)
    await quiet()
    expect(client.socket.writableLength).toBeGreaterThan(20_000_000)
    proxy.set({ kind: 'pass' }, 'requests')
    await until('all of it came back', () => client.socket.bytesRead >= 40_000_000)
  })

  it('resets all connections', async () => {
    const all = [await connected(), await connected()]
    proxy.reset()
    await until('all are reset', () => all.every(({ ending }) => ending === 'ECONNRESET'))
    expect(proxy.open).toBe(0)
  })

  it('resets a connection whose target is not there', async () => {
    proxy.retarget({ port: await freePort() })
    const client = new Client()
    await until('it is reset', () => client.ending === 'ECONNRESET')
  })
})
