import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { redis } from '../../../src/redis.ts'
import { until } from '../servers/until.ts'
import { fault } from './fixture.ts'
import { addsNothing, holdsInvariants, ms, recovers, shown } from './invariants.ts'
import { BOUND_MS, outage, paysLittle } from './outage.ts'

describe('the connection to one server', () => {
  fault('1: refused from the first call on, and used when it accepts', async (bed) => {
    const port = await bed.port()
    const rig = bed.rig({ l2: () => redis({ url: `redis://127.0.0.1:${port}` }) })
    const began = performance.now()
    const reads = await rig.load({ while: () => sleep(1_500) })
    const added = addsNothing(reads)
    expect(rig.health()).toMatchObject({ state: 'down', source: 'none' })
    expect(rig.health().lastError).toMatch(/ECONNREFUSED.*check that it runs/)
    expect(reads.filter(({ source }) => source === 'l2')).toEqual([])
    await bed.server({ port })
    const accepts = performance.now()
    await rig.load({ while: () => rig.untilUsable() })
    const usable = Math.max(0, (rig.usableAt(began) as number) - accepts)
    expect(usable).toBeLessThan(100 + rig.lag(accepts, performance.now()))
    await recovers(rig, accepts)
    const outages = [{ from: began, to: performance.now() }]
    holdsInvariants(rig, { boundMs: BOUND_MS, outages, generations: 1 })
    bed.say(`${shown(added)}, usable ${ms(usable)} after it accepts`)
  })

  fault('4: frozen and continued', async (bed) => {
    const server = await bed.server()
    const rig = bed.rig({ l2: () => redis({ url: server.url }) })
    const outcome = await outage(rig, {
      begin: () => server.stopSignal(),
      lastsMs: 2_500,
      heal: () => server.continueSignal(),
      during: () => {
        expect(rig.health()).toMatchObject({ state: 'down', breaker: { read: /open/ } })
        expect(rig.health().lastError).toMatch(/does not answer|did not answer/)
      },
      usableMs: 1_500,
    })
    bed.say(`${paysLittle(rig, outcome)}, ${outcome.line}`)
  })

  fault('5: a black hole after connecting', async (bed) => {
    const server = await bed.server()
    const proxy = await bed.proxy(server)
    const rig = bed.rig({ l2: () => redis({ url: proxy.url }) })
    const outcome = await outage(rig, {
      begin: () => proxy.set({ kind: 'black-hole' }, 'both'),
      lastsMs: 2_500,
      heal: () => proxy.heal(),
      during: () => expect(rig.health().lastError).toMatch(/does not answer.*time-out/),
      usableMs: 1_500,
    })
    bed.say(`${paysLittle(rig, outcome)}, ${outcome.line}`)
  })

  fault('5: a black hole that nobody sends into is found by the heartbeat', async (bed) => {
    const server = await bed.server()
    const proxy = await bed.proxy(server)
    const rig = bed.rig({ l2: () => redis({ url: proxy.url }), nodes: 1 })
    await rig.untilUsable()
    const from = performance.now()
    proxy.set({ kind: 'black-hole' }, 'both')
    await until('it is known', () => rig.health().state === 'down', { everyMs: 2 })
    const took = performance.now() - from
    // A beat each second, the wait for its answer.
    expect(took).toBeLessThan(1_200 + rig.lag(from, performance.now()))
    expect(rig.health().lastError).toMatch(/does not answer/)
    bed.say(`idle: known after ${ms(took)}`)
  })

  fault('6: reset in the middle of a reply', async (bed) => {
    const server = await bed.server()
    const proxy = await bed.proxy(server)
    const rig = bed.rig({ l2: () => redis({ url: proxy.url }) })
    const down = () => rig.states.find(({ health }) => health.state === 'down')
    const outcome = await outage(rig, {
      begin: async () => {
        proxy.set({ kind: 'cut', afterBytes: 5_000 })
        await until('a connection was cut', () => down(), { everyMs: 1 })
      },
      lastsMs: 0,
      isLost: false,
      heal: () => down()?.at,
      usableMs: 100,
    })
    expect(down()?.health.lastError).toMatch(/was cut \(ECONNRESET\)/)
    bed.say(outcome.line)
  })

  fault('7: a part of a reply, then silence', async (bed) => {
    const server = await bed.server()
    const proxy = await bed.proxy(server)
    const rig = bed.rig({ l2: () => redis({ url: proxy.url }), nodes: 1 })
    const down = () => rig.states.find(({ health }) => health.state === 'down')
    const outcome = await outage(rig, {
      // Of every connection, also of those that are opened meanwhile.
      begin: () => proxy.set({ kind: 'stall', afterBytes: 3_000, times: 1_000 }),
      lastsMs: 2_000,
      isLost: false,
      heal: () => proxy.heal(),
      usableMs: 1_500,
    })
    expect(down()?.health.lastError).toMatch(/not answer/)
    bed.say(`it was given up ${ms((down()?.at ?? 0) - outcome.brokeAt)} later, ${outcome.line}`)
  })

  fault('8: garbage instead of a reply', async (bed) => {
    const server = await bed.server()
    const proxy = await bed.proxy(server)
    const rig = bed.rig({ l2: () => redis({ url: proxy.url }) })
    const down = () => rig.states.find(({ health }) => health.state === 'down')
    const outcome = await outage(rig, {
      begin: async () => {
        proxy.set({ kind: 'garbage' })
        await until('a connection was given up', () => down(), { everyMs: 1 })
      },
      lastsMs: 0,
      isLost: false,
      heal: () => down()?.at,
      usableMs: 100,
    })
    expect(down()?.health.lastError).toMatch(/not Redis, or not in its protocol/)
    bed.say(outcome.line)
  })

  for (const [what, fault9] of [
    ['250 ms late', { kind: 'delay', ms: 250 }],
    ['70 ms late, which no connection is given up for', { kind: 'delay', ms: 70 }],
    ['byte by byte', { kind: 'dribble' }],
  ] as const) {
    fault(`9: replies come ${what}`, async (bed) => {
      const server = await bed.server()
      const proxy = await bed.proxy(server)
      const rig = bed.rig({ l2: () => redis({ url: proxy.url }) })
      const outcome = await outage(rig, {
        begin: () => proxy.set(fault9),
        heal: () => proxy.heal(),
        usableMs: 1_500,
        isLost: fault9.kind === 'delay' && fault9.ms > 150,
      })
      const errors = rig.nodes.flatMap((node) => node.errors.map(({ kind }) => kind))
      expect(errors).toContain('l2-read')
      bed.say(`${what}: ${errors.length} errors counted, ${outcome.line}`)
    })
  }

  fault('10: all connections are reset at once', async (bed) => {
    const server = await bed.server()
    const proxy = await bed.proxy(server)
    const rig = bed.rig({ l2: () => redis({ url: proxy.url }), nodes: 8 })
    const outcome = await outage(rig, {
      begin: () => proxy.reset(),
      lastsMs: 0,
      isLost: false,
      heal: () => {},
      usableMs: 100,
    })
    const back = proxy.acceptedAt.filter((at) => at > outcome.brokeAt).slice(0, 8)
    const spread = Math.max(...back) - Math.min(...back)
    // From 30 to 50 ms later, each by its own chance.
    expect(spread).toBeGreaterThan(5)
    bed.say(`8 clients, attempts ${ms(spread)} apart, ${outcome.line}`)
  })

  fault('10: the server closes all connections', async (bed) => {
    const server = await bed.server()
    const rig = bed.rig({ l2: () => redis({ url: server.url }) })
    const outcome = await outage(rig, {
      begin: async () => {
        await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
        await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
      },
      lastsMs: 0,
      isLost: false,
      heal: () => {},
      usableMs: 100,
    })
    expect(outcome.states.some(({ health }) => health.state === 'down')).toBe(true)
    bed.say(`CLIENT KILL: ${outcome.line}`)
  })

  fault('11: fifty clients want back at the same time', async (bed) => {
    const server = await bed.server()
    const proxies = await Promise.all(Array.from({ length: 50 }, () => bed.proxy(server)))
    const rig = bed.rig({
      l2: (node) => redis({ url: proxies[node]?.url as string }),
      nodes: proxies.length,
      keys: 4,
    })
    await rig.untilUsable()
    const killedAt = performance.now()
    for (const proxy of proxies) proxy.rejectNew()
    await server.kill()
    await sleep(2_000)
    await server.start()
    for (const proxy of proxies) proxy.rejectNew(false)
    const accepts = performance.now()
    await rig.untilUsable()
    const attempts = proxies.map(({ acceptedAt }) =>
      acceptedAt.filter((at) => at > killedAt && at < accepts),
    )
    const gaps = attempts.flatMap((times) => times.slice(1).map((at, n) => at - (times[n] ?? 0)))
    // Both ends are timers of this process, read when it had time.
    expect(Math.min(...gaps)).toBeGreaterThan(25 - 10)
    const early = gaps.filter((gap) => gap < 24)
    expect(early.length / gaps.length, 'attempts of one client that are too close').toBeLessThan(
      0.01,
    )
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    // They back off to 80 ms, less the jitter.
    expect(mean).toBeGreaterThan(50)
    const third = attempts.flatMap((times) => times[10] ?? [])
    const spread = Math.max(...third) - Math.min(...third)
    expect(third.length).toBeGreaterThan(25)
    expect(spread, 'the same attempt of all clients').toBeGreaterThan(40)
    const usable = Math.max(
      ...rig.nodes.map((_, node) => (rig.usableAt(accepts, node) ?? accepts) - accepts),
    )
    expect(usable).toBeLessThan(100 + rig.lag(accepts, performance.now()))
    bed.say(
      `${gaps.length} attempts of 50 clients, least ${ms(Math.min(...gaps))} and on average ${ms(mean)} apart, ` +
        `the eleventh over ${ms(spread)}; all usable after ${ms(usable)}`,
    )
  })

  fault('21: the server takes no more clients', async (bed) => {
    // A connection for data and one for messages of each node.
    const server = await bed.server({ args: ['--maxclients', '4'] })
    const l2 = () => redis({ url: server.url })
    const first = bed.rig({ l2 })
    await first.untilUsable()
    server.closeCli()
    const surplus = bed.rig({ l2 })
    const reads = await surplus.load({ while: () => sleep(1_000) })
    for (const node of [0, 1]) {
      expect(surplus.health(node)).toMatchObject({ state: 'down', source: 'none' })
      expect(surplus.health(node).lastError).toMatch(/maxclients/)
    }
    const added = addsNothing(reads)
    // Those who are in are not disturbed.
    expect(first.usable).toBe(true)
    expect(first.states.filter(({ health }) => health.state === 'down')).toEqual([])
    await first.close()
    const freed = performance.now()
    await surplus.untilUsable()
    const usable = Math.max(...[0, 1].map((n) => (surplus.usableAt(freed, n) ?? freed) - freed))
    expect(usable).toBeLessThan(100 + surplus.lag(freed, performance.now()))
    bed.say(`${shown(added)}, usable ${ms(usable)} after others have left`)
  })
})
