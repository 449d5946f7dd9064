import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { createCache } from '../../../src/facade/create-cache.ts'
import { redis } from '../../../src/redis.ts'
import { FakeSentinel } from '../sentinel/fake-sentinel.ts'
import { until } from '../servers/until.ts'
import { fault } from './fixture.ts'
import { announced, connectionsOf, cutOff, startGroup } from './groups.ts'
import { addsNothing, holdsInvariants, ms, recovers, shown } from './invariants.ts'
import { outage, paysLittle } from './outage.ts'

describe('the master is found by sentinels', () => {
  fault('3: the master is killed', async (bed) => {
    const { master, watch } = await startGroup(bed)
    const rig = bed.rig({ l2: () => redis({ sentinels: watch.addresses, masterName: watch.name }) })
    const outcome = await outage(rig, {
      begin: () => master.kill(),
      lastsMs: 0,
      isLost: false,
      heal: () => announced(watch, master.port),
      usableMs: 100,
    })
    const { brokeAt, healedAt, states } = outcome
    expect(healedAt - brokeAt).toBeLessThan(5_000)
    // From the first reset on, nobody waits for it.
    const known = states.find(({ health }) => health.state === 'down')?.at as number
    const reads = rig.reads.filter(({ start }) => start > known + 5 && start < healedAt - 100)
    const added = addsNothing(reads)
    expect(states.find(({ health }) => health.state === 'down')?.health.lastError).toMatch(/ECONN/)
    expect(rig.health()).toMatchObject({ state: 'ready', source: 'sentinel', readOnly: false })
    bed.say(
      `${ms(outcome.usableMs)} after promotion usable (promotion took ${ms(healedAt - brokeAt)}), ${shown(added)}`,
    )
  })

  fault('4: the master is frozen, and another one promoted', async (bed) => {
    const { master, watch } = await startGroup(bed)
    const rig = bed.rig({ l2: () => redis({ sentinels: watch.addresses, masterName: watch.name }) })
    const outcome = await outage(rig, {
      begin: () => master.stopSignal(),
      lastsMs: 0,
      isLost: false,
      heal: () => announced(watch, master.port),
      usableMs: 100,
    })
    const paid = paysLittle(rig, outcome)
    master.continueSignal()
    const continued = performance.now()
    // It says that it is a master until the sentinels have told it otherwise.
    await rig.load({
      changesPerSecond: 0,
      while: async () => {
        // It takes a moment until it sees that nobody is there any more; nobody may come.
        const gone = async () => (await connectionsOf(master)).length === 0
        await until('what was connected before is gone', gone, { withinMs: 1_000 })
        while (performance.now() - continued < 2_000) {
          expect(await connectionsOf(master)).toEqual([])
          await sleep(50)
        }
      },
    })
    expect(rig.states.filter(({ at }) => at > continued)).toEqual([])
    expect(rig.health().source).toBe('sentinel')
    bed.say(`${paid}, usable ${ms(outcome.usableMs)} after promotion, never back to the old master`)
  })

  fault('15: the last known master was demoted while the sentinels were away', async (bed) => {
    const { master, replicas, watch } = await startGroup(bed)
    const [replica] = replicas
    if (!replica) throw new Error('there is a replica')
    const rig = bed.rig({ l2: () => redis({ sentinels: watch.addresses, masterName: watch.name }) })
    await rig.untilUsable()
    await rig.fill()
    for (const sentinel of watch.sentinels) await sentinel.kill()
    await replica.cli('REPLICAOF', 'NO', 'ONE')
    const from = performance.now()
    await master.cli('REPLICAOF', '127.0.0.1', replica.port)
    await cutOff(master)
    await master.cli('CONFIG', 'RESETSTAT')
    const reads = await rig.load({
      while: async () => {
        await until('it is known', () => rig.health().state === 'down')
        await sleep(1_500)
      },
    })
    const stats = await master.info('commandstats')
    // What was under way when it changed may have come; nothing was taken, and nobody stays there.
    expect(await connectionsOf(master)).toEqual([])
    expect(Object.keys(stats).filter((name) => /evalsha|cmdstat_set|publish/.test(name))).toEqual(
      [],
    )
    expect(rig.health()).toMatchObject({ state: 'down', source: 'none' })
    expect(rig.health().lastError).toMatch(/ECONNREFUSED/)
    const down = rig.states.find(({ at, health }) => at > from && health.state === 'down')
    const added = addsNothing(reads.filter(({ start }) => start > (down?.at ?? from) + 300))
    bed.say(`${shown(added)}, 0 commands of the cache taken by the demoted server`)
  })

  fault('29: all sentinels are killed, and come back', async (bed) => {
    const { master, watch } = await startGroup(bed)
    const rig = bed.rig({ l2: () => redis({ sentinels: watch.addresses, masterName: watch.name }) })
    await rig.untilUsable()
    await rig.fill()
    for (const sentinel of watch.sentinels) await sentinel.kill()
    // What is connected stays so.
    const before = await connectionsOf(master)
    await rig.load({ changesPerSecond: 0, while: () => sleep(500) })
    expect(await connectionsOf(master)).toEqual(before)
    const outcome = await outage(rig, {
      begin: () => cutOff(master),
      lastsMs: 0,
      isLost: false,
      heal: () => {},
      usableMs: 100,
    })
    expect(rig.health()).toMatchObject({ state: 'ready', source: 'last-known' })
    const connections = await connectionsOf(master)
    for (const sentinel of watch.sentinels) await sentinel.start()
    const returned = performance.now()
    await until('it is under Sentinel again', () =>
      rig.nodes.every((_, node) => rig.health(node).source === 'sentinel'),
    )
    const took = performance.now() - returned
    expect(took).toBeLessThan(3_000)
    expect(await connectionsOf(master)).toEqual(connections)
    expect(rig.states.some(({ at, health }) => at > returned && health.state !== 'ready')).toBe(
      false,
    )
    bed.say(
      `last known used ${ms(outcome.usableMs)} after the cut, under Sentinel again after ${ms(took)} without a new connection`,
    )
  })

  fault(
    '30: no quorum when the master is killed',
    async (bed) => {
      const { master, watch } = await startGroup(bed)
      const rig = bed.rig({
        l2: () => redis({ sentinels: watch.addresses, masterName: watch.name }),
      })
      const [one, two] = watch.sentinels
      if (!one || !two) throw new Error('there are three sentinels')
      const outcome = await outage(rig, {
        begin: async () => {
          await one.kill()
          await two.kill()
          await master.kill()
          await until('it is known', () =>
            rig.nodes.every((_, n) => rig.health(n).state === 'down'),
          )
        },
        lastsMs: 2_500,
        during: () => {
          expect(rig.health()).toMatchObject({ state: 'down', source: 'none' })
          expect(rig.health().lastError).toMatch(/No usable Redis master|ECONNREFUSED/)
        },
        heal: async () => {
          await one.start()
          await two.start()
          return announced(watch, master.port)
        },
        usableMs: 100,
      })
      bed.say(`no promotion for 2.5 s: ${outcome.line.replace('its end', 'promotion')}`)
    },
    90_000,
  )

  fault('31: one sentinel names another master than the others', async (bed) => {
    const { master, watch } = await startGroup(bed)
    const liar = await new FakeSentinel({ host: '127.0.0.1', port: master.port }).listen()
    bed.after(() => liar.close())
    const sentinels = [{ host: liar.host, port: liar.port }, ...watch.addresses.slice(0, 2)]
    const rig = bed.rig({ l2: () => redis({ sentinels, masterName: watch.name }) })
    await rig.untilUsable()
    await rig.fill()
    const from = performance.now()
    let to = from
    await rig.load({
      while: async () => {
        await watch.failover()
        await until('they have moved', async () => (await connectionsOf(master)).length === 0)
        await rig.untilUsable()
        to = performance.now()
        const name = `slave 127.0.0.1:1 127.0.0.1 1 @ ${watch.name} 127.0.0.1 ${master.port}`
        for (let turn = 0; turn < 20; turn++) {
          liar.publish('+promoted-slave', name)
          await sleep(100)
        }
      },
    })
    for (const [node] of rig.nodes.entries()) {
      expect(rig.losses(node, from), 'moves of one node').toBe(1)
    }
    expect(await connectionsOf(master)).toEqual([])
    await recovers(rig, to)
    holdsInvariants(rig, { boundMs: 400, outages: [{ from, to }], generations: 1 })
    bed.say('one move, though one of three sentinels went on naming the old master')
  })

  fault('32: a planned failover while the old master lives', async (bed) => {
    const { master, watch } = await startGroup(bed)
    const rig = bed.rig({ l2: () => redis({ sentinels: watch.addresses, masterName: watch.name }) })
    const outcome = await outage(rig, {
      begin: () => {},
      lastsMs: 0,
      isLost: false,
      heal: async () => {
        const at = announced(watch, master.port)
        await watch.failover()
        return at
      },
      usableMs: 1_500,
      changesPerSecond: 30,
    })
    expect(await connectionsOf(master)).toEqual([])
    for (const [node] of rig.nodes.entries()) {
      expect(rig.losses(node, outcome.brokeAt), 'moves of one node').toBe(1)
    }
    const durable = rig.changes.filter(({ acked }) => acked > outcome.brokeAt)
    bed.say(
      `moved ${ms(outcome.usableMs)} after it was announced; ${durable.length} invalidations meanwhile, none undone`,
    )
  })

  fault('29: no sentinel from the start, and a fallback with data of its own past', async (bed) => {
    const standalone = await bed.server()
    const ports = [await bed.port(), await bed.port(), await bed.port()]
    const name = 'fallback'
    let truth = 'old'
    const origin = async (id: string) => `${truth} ${id}`
    const options = { name: 'f', ttl: '5m' } as const
    const first = createCache({ name, l2: redis({ url: standalone.url }) })
    bed.after(() => first.close())
    await first.ready({ strict: true })
    await first.cached(origin, options)('x')
    const again = createCache({ name, l2: redis({ url: standalone.url }), l1: false })
    bed.after(() => again.close())
    await again.ready({ strict: true })
    const sees = again.cached(origin, options)
    await until('L2 has it', async () => (await sees.detail('x')).source === 'l2')
    await first.close()
    await again.close()
    // Changed while this server was none of the cache's: nobody has told it.
    truth = 'new'
    const sentinels = ports.map((port) => ({ host: '127.0.0.1', port }))
    const rest = {
      sentinels,
      masterName: 'mymaster',
      standalone: { host: standalone.host, port: standalone.port },
    }
    const cache = createCache({ name, l2: redis(rest), l1: false })
    bed.after(() => cache.close())
    const read = cache.cached(origin, options)
    await cache.ready({ strict: true })
    expect(cache.health().l2).toMatchObject({ state: 'ready', source: 'standalone' })
    expect((await read.detail('x')).value).toBe('new x')
    await until('L2 has the new one', async () => (await read.detail('x')).source === 'l2')
    expect((await read.detail('x')).value).toBe('new x')
    bed.say('what the standalone fallback held from before was not served')
  })
})
