import { describe, expect } from 'vitest'
import type { RedisProcess } from '../servers/redis-process.ts'
import { RespClient } from '../servers/resp-client.ts'
import { until } from '../servers/until.ts'
import { type Bed, fault } from './fixture.ts'
import { type Service, startService, Truth } from './service.ts'

/** `writer` has an L1, `reader` sees L2 alone. */
async function world(bed: Bed, args: readonly string[] = [], timeout?: '50ms') {
  const server = await bed.server({ args })
  const truth = new Truth()
  const l2 = { url: server.url, ...(timeout && { timeout }) }
  const writer = startService(bed, l2, truth)
  const reader = startService(bed, l2, truth, { l1: false })
  await Promise.all([writer.usable(), reader.usable()])
  return { server, truth, writer, reader }
}

/** What every server that takes no writes has in common. */
async function takesNoWrites(
  { server, truth, writer, reader }: Awaited<ReturnType<typeof world>>,
  name: RegExp,
  refuse: () => Promise<unknown>,
  repair: () => Promise<unknown>,
  { deletes }: { readonly deletes: boolean },
) {
  for (const id of ['x', 'y']) await writer.store(id, server)
  await refuse()
  // Reads go on, and what is not there is loaded.
  expect(await reader.ask('x')).toMatchObject({ value: 'x@1', source: 'l2' })
  expect(await reader.ask('new')).toMatchObject({ value: 'new@1', source: 'origin' })
  // A change is done here at once, and kept for later where not even a deletion is possible.
  truth.change('y')
  expect(await writer.get.invalidate('y')).toEqual({ durable: deletes })
  expect((await writer.ask('y')).value).toBe('y@2')
  // No more than five are sent in vain: then the breaker of the writes alone is open.
  for (let i = 0; i < 6; i++) {
    expect(await writer.cache.set(`s${i}`, i)).toEqual({ durable: false })
    expect(await writer.cache.get(`s${i}`)).toBe(i)
  }
  await until('the breaker of the writes opens', () => writer.seen.degraded.at(-1) === true)
  expect(writer.l2()).toMatchObject({ state: 'ready', breaker: { read: 'closed' } })
  expect(writer.cache.health().status).toBe('degraded')
  expect(writer.l2().lastError).toMatch(name)
  expect(writer.errors.filter(({ text }) => name.test(text)).length).toBeGreaterThanOrEqual(5)
  expect(writer.cache.stats().l2Errors).toBe(writer.errors.length)
  expect(await reader.ask('x')).toMatchObject({ value: 'x@1', source: 'l2' })
  await repair()
  await until('writes are taken again', () => writer.l2().breaker.write === 'closed', {
    withinMs: 3000,
  })
  await until('what was kept is told', async () => (await reader.ask('y')).value === 'y@2', {
    withinMs: 3000,
  })
  expect(await writer.cache.set('s', 'stored')).toEqual({ durable: true })
  expect(await reader.cache.get('s')).toBe('stored')
  expect(writer.cache.health().status).toBe('ok')
}

async function fill(server: RedisProcess): Promise<void> {
  const junk = 'x'.repeat(100_000)
  const isFull = (error: unknown): boolean => String(error).includes('OOM')
  for (let i = 0; ; i++) {
    const refused = await server.cli('SET', `junk:${i}`, junk).then(() => false, isFull)
    if (refused) break
  }
  // So that nothing at all fits, not even what is small.
  await server.cli('CONFIG', 'SET', 'maxmemory', '1mb')
}

describe('12: out of memory', () => {
  fault(
    '12: reads go on, writes are kept for later, and their breaker alone opens',
    async (bed) => {
      const parts = await world(bed, ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'])
      const { server } = parts
      await takesNoWrites(
        parts,
        /OOM/,
        () => fill(server),
        () => server.cli('CONFIG', 'SET', 'maxmemory', '100mb'),
        { deletes: true },
      )
    },
  )
})

describe('19: not enough replicas', () => {
  fault(
    '19: reads go on, writes are kept for later, and their breaker alone opens',
    async (bed) => {
      const parts = await world(bed)
      const { server } = parts
      await takesNoWrites(
        parts,
        /NOREPLICAS/,
        () => server.cli('CONFIG', 'SET', 'min-replicas-to-write', '1'),
        () => server.cli('CONFIG', 'SET', 'min-replicas-to-write', '0'),
        { deletes: false },
      )
    },
  )
})

/** Callers that come one by one, each for an id of its own, until told to stop. */
function callers(one: Service) {
  const calls: { value: string; ms: number; at: number }[] = []
  let stopped = false
  const running = (async () => {
    for (let i = 0; !stopped; i++) {
      const id = `c${i}`
      const { value, ms } = await one.ask(id)
      if (value !== `${id}@1`) throw new Error(`${value} is not ${id}@1`)
      calls.push({ value, ms, at: performance.now() })
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })()
  return {
    calls,
    stop: async () => {
      stopped = true
      await running
    },
  }
}

describe('26: a server that is busy', () => {
  fault(
    '26: DEBUG SLEEP: at most a few callers pay the deadline, and it is used again',
    async (bed) => {
      const { server, writer } = await world(bed, [], '50ms')
      const load = callers(writer)
      await until('there is load', () => load.calls.length > 20)
      load.calls.length = 0
      await server.cli('DEBUG', 'SLEEP', '0.8')
      const wokeAt = performance.now()
      await writer.usable()
      const backMs = performance.now() - wokeAt
      await load.stop()
      // Five in a row open the breaker; one more may have been under way.
      const paid = load.calls.filter(({ at, ms }) => at < wokeAt && ms > 40)
      expect(paid.length).toBeGreaterThanOrEqual(1)
      expect(paid.length).toBeLessThanOrEqual(8)
      expect(backMs).toBeLessThan(2000)
      expect(writer.seen.degraded).toContain(true)
      expect(writer.errors.some(({ text }) => /did not answer/.test(text))).toBe(true)
      expect(writer.cache.stats().l2Errors).toBe(writer.errors.length)
    },
  )

  fault('26: an endless script: BUSY is an outage, and ends with it', async (bed) => {
    const { server, writer, reader } = await world(bed, ['--busy-reply-threshold', '50'], '50ms')
    await writer.store('x', server)
    const killed = server.cli('EVAL', 'while true do end', 0).catch((error) => String(error))
    const load = callers(reader)
    await until('the breaker opens', () => reader.l2().breaker.read !== 'closed')
    expect(reader.cache.health().status).toBe('degraded')
    const before = load.calls.length
    await until('callers go on', () => load.calls.length > before + 50)
    const fast = load.calls.slice(before).filter(({ ms }) => ms < 40)
    expect(fast.length / (load.calls.length - before)).toBeGreaterThan(0.9)
    const other = new RespClient({ port: server.port })
    await other.send('SCRIPT', 'KILL')
    other.close()
    const freeAt = performance.now()
    expect(await killed).toMatch(/killed/i)
    await until('it is used again', async () => (await reader.ask('x')).source === 'l2')
    expect(performance.now() - freeAt).toBeLessThan(2000)
    await load.stop()
    expect(reader.errors.some(({ text }) => /BUSY|did not answer/.test(text))).toBe(true)
  })
})
