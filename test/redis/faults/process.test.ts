import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import type { Clock } from '../../../src/contracts/clock.ts'
import { realClock } from '../../../src/kernel/real-clock.ts'
import { until } from '../servers/until.ts'
import { type Bed, fault } from './fixture.ts'
import { startProgram } from './program.ts'
import { startService, Truth } from './service.ts'

function skewed(ms: number): Clock {
  return { ...realClock, now: () => realClock.now() + ms, wall: () => Date.now() + ms }
}

describe('43: clocks that differ between processes', () => {
  const MINUTES = 60_000

  fault('43: ten minutes off, nothing ends too early or too late', async (bed) => {
    const server = await bed.server()
    const truth = new Truth()
    const l2 = { url: server.url }
    const options = { ttl: '1500ms', jitter: 0, l1: false } as const
    const ahead = startService(bed, l2, truth, { ...options, clock: skewed(10 * MINUTES) })
    const behind = startService(bed, l2, truth, { ...options, clock: skewed(-10 * MINUTES) })
    const right = startService(bed, l2, truth, options)
    const all = [ahead, behind, right]
    await Promise.all(all.map((one) => one.usable()))
    for (const [number, writer] of all.entries()) {
      const id = `x${number}`
      const writtenAt = performance.now()
      await writer.store(id, server)
      for (const reader of all) {
        const { source } = await reader.ask(id)
        if (performance.now() - writtenAt < 1400) expect(source).toBe('l2')
        const { ageMs } = await reader.get.detail(id)
        expect(ageMs).toBeGreaterThanOrEqual(-50)
        expect(ageMs).toBeLessThan(performance.now() - writtenAt + 50)
      }
      await sleep(1550 - (performance.now() - writtenAt))
      // Whoever asks first loads it, and exactly one does, whatever its clock says.
      const calls = truth.callsOf(id)
      const answers = await Promise.all(all.map((one) => one.ask(id)))
      expect(answers.filter(({ source }) => source === 'origin').length).toBeGreaterThanOrEqual(1)
      expect(truth.callsOf(id)).toBe(calls + 1)
    }
    for (const one of all) expect(one.errors).toEqual([])
  })

  fault('43: what is newer is decided by numbers, not by clocks', async (bed) => {
    const server = await bed.server()
    const truth = new Truth()
    const l2 = { url: server.url }
    const ahead = startService(bed, l2, truth, { clock: skewed(10 * MINUTES) })
    const behind = startService(bed, l2, truth, { clock: skewed(-10 * MINUTES) })
    await Promise.all([ahead.usable(), behind.usable()])
    for (let turn = 0; turn < 10; turn++) {
      const [writer, reader] = turn % 2 === 0 ? [ahead, behind] : [behind, ahead]
      await Promise.all([writer.get('x'), reader.get('x')])
      const version = truth.change('x')
      expect(await writer.cache.invalidateTag('tag:x')).toEqual({ durable: true })
      expect(await writer.get('x')).toBe(`x@${version}`)
      await until('the other one is told', async () => (await reader.get('x')) === `x@${version}`, {
        withinMs: 1500,
      })
    }
    expect([...ahead.errors, ...behind.errors]).toEqual([])
  })
})

describe('44: a blocked event loop', () => {
  fault('44: late timers are no failures of L2: neither breaker nor connection', async (bed) => {
    const server = await bed.server()
    const truth = new Truth()
    const one = startService(bed, { url: server.url, timeout: '50ms' }, truth, { l1: false })
    await one.usable()
    await one.store('x', server)
    const connections = (await server.info('stats')).total_connections_received
    const states = one.seen.states.length
    // More in a row than it takes to open the breaker.
    for (let i = 0; i < 7; i++) {
      const calls = [one.ask('x'), one.get.invalidate(`y${i}`)] as const
      await new Promise((resolve) => setImmediate(resolve))
      block(i === 0 ? 1000 : 150)
      expect((await calls[0]).value).toBe('x@1')
      await calls[1]
    }
    await one.usable()
    expect(await one.ask('x')).toMatchObject({ source: 'l2' })
    expect(one.l2()).toMatchObject({ state: 'ready', breaker: { read: 'closed', write: 'closed' } })
    expect(one.l2().timeoutsIgnored).toBeGreaterThan(0)
    expect(one.seen.states.slice(states)).not.toContain('down')
    expect(one.seen.degraded).not.toContain(true)
    expect(one.errors).toEqual([])
    expect((await server.info('stats')).total_connections_received).toBe(connections)
  })

  function block(ms: number): void {
    const until = performance.now() + ms
    while (performance.now() < until);
  }
})

describe('45: closing while something is wrong', () => {
  /** A service under load that closes when told to, and then has to end by itself. */
  const body = (options: object, more = ''): string => `
    const cache = createCache({
      name: 'faults', ttl: '1m', l2: redis(${JSON.stringify(options)}),
    })
    const fn = cache.cached(async (id) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return id
    }, { name: 'fn', tags: (id) => [String(id % 10)] })
    let n = 0
    let failed = 0
    const load = setInterval(() => {
      for (let i = 0; i < 5; i++) fn(n++ % 500).catch(() => failed++)
      cache.invalidateTag(String(n % 10)).catch(() => failed++)
    }, 5)
    await cache.ready()
    say('running')
    await told('close')
    ${more}
    const before = failed
    const start = performance.now()
    const closed = cache.close({ deadline: '1s' })
    // Calls after it are refused, and nothing else.
    const refused = await fn(1).then(() => 'answered', (error) => error.code)
    clearInterval(load)
    await closed
    const ms = performance.now() - start
    await new Promise((resolve) => setImmediate(resolve))
    const left = process.getActiveResourcesInfo().filter((one) => /TCP|Timeout|Immediate/.test(one))
    say('RESULT ' + JSON.stringify({ ms, left, refused, before, status: cache.health().status }))
  `

  async function closes(
    bed: Bed,
    options: object,
    break_: () => unknown,
    afterMs: number,
    more?: string,
  ) {
    const program = startProgram(body(options, more))
    bed.after(() => program.child.kill('SIGKILL'))
    await program.said('running')
    await sleep(200)
    await break_()
    await sleep(afterMs)
    program.tell('close')
    await program.said('RESULT')
    const saidAt = performance.now()
    expect(await program.ended(3000)).toBe(0)
    const endedMs = performance.now() - saidAt
    const result = JSON.parse(String(/RESULT (.*)/.exec(program.output())?.[1]))
    expect(result).toMatchObject({ left: [], refused: 'ERR_CLOSED', before: 0, status: 'down' })
    // The deadline, and what it takes to end a connection that does not answer.
    expect(result.ms).toBeLessThan(1500)
    expect(program.output()).not.toContain('unhandled')
    bed.say(`closed in ${result.ms.toFixed(0)} ms, ended ${endedMs.toFixed(0)} ms later`)
  }

  for (const afterMs of [0, 200]) {
    fault(`45: the server was killed ${afterMs} ms before`, async (bed) => {
      const server = await bed.server()
      await closes(bed, { url: server.url }, () => server.kill(), afterMs)
    })

    fault(`45: the server is frozen for ${afterMs} ms`, async (bed) => {
      const server = await bed.server()
      await closes(bed, { url: server.url }, () => server.stopSignal(), afterMs)
    })

    fault(`45: a black hole for ${afterMs} ms`, async (bed) => {
      const server = await bed.server()
      const proxy = await bed.proxy(server)
      const hole = () => proxy.set({ kind: 'black-hole' }, 'both')
      await closes(bed, { url: proxy.url }, hole, afterMs)
    })
  }

  fault('45: the sentinels and the master are gone', async (bed) => {
    const group = await bed.replicated()
    const { addresses, sentinels, name } = await bed.sentinels(group.master)
    const options = { sentinels: addresses, masterName: name }
    const all = [...sentinels, group.master]
    await closes(bed, options, () => Promise.all(all.map((one) => one.kill())), 300)
  })

  fault('45: nobody closes it: the process ends all the same', async (bed) => {
    const server = await bed.server()
    const program = startProgram(`
      const cache = createCache({ name: 'faults', ttl: '1m', l2: redis({ url: '${server.url}' }) })
      await cache.ready()
      await cache.getOrSet('k', () => 1)
      say('loaded ' + cache.health().l2.state)
    `)
    bed.after(() => program.child.kill('SIGKILL'))
    program.child.stdin?.end()
    await program.said('loaded ready')
    expect(await program.ended(3000)).toBe(0)
  })
})
