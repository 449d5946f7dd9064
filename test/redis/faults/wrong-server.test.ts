import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { redis } from '../../../src/redis.ts'
import { until } from '../servers/until.ts'
import { fault } from './fixture.ts'
import { connectionsOf } from './groups.ts'
import { addsNothing, holdsInvariants, ms, recovers, shown } from './invariants.ts'
import { BOUND_MS, outage } from './outage.ts'

describe('a server that does not do as a master does', () => {
  fault('14: a replica from the start', async (bed) => {
    const { replicas } = await bed.replicated()
    const [replica] = replicas
    if (!replica) throw new Error('there is a replica')
    const rig = bed.rig({ l2: () => redis({ url: replica.url }) })
    const from = performance.now()
    const reads = await rig.load({ while: () => sleep(1_500) })
    expect(rig.health()).toMatchObject({ state: 'down', source: 'none' })
    expect(rig.health().lastError).toMatch(/is a replica/)
    const added = addsNothing(reads.filter(({ start }) => start > from + 200))
    expect(await replica.cli('DBSIZE')).toBe(0)
    await replica.cli('REPLICAOF', 'NO', 'ONE')
    const promoted = performance.now()
    await rig.untilUsable()
    const usable = (rig.usableAt(from) as number) - promoted
    expect(usable).toBeLessThan(100 + rig.lag(promoted, performance.now()))
    await recovers(rig, promoted)
    const outages = [{ from, to: performance.now() }]
    holdsInvariants(rig, { boundMs: BOUND_MS, outages, generations: 1 })
    bed.say(`${shown(added)}, usable ${ms(usable)} after its promotion`)
  })

  fault('14: a master becomes a replica: READONLY', async (bed) => {
    const { master, replicas } = await bed.replicated()
    const [replica] = replicas
    if (!replica) throw new Error('there is a replica')
    const rig = bed.rig({ l2: () => redis({ url: master.url }) })
    const outcome = await outage(rig, {
      begin: async () => {
        await replica.cli('REPLICAOF', 'NO', 'ONE')
        await master.cli('REPLICAOF', '127.0.0.1', replica.port)
        await until('both know', () => rig.nodes.every((_, n) => rig.health(n).state === 'down'))
      },
      during: () => {
        expect(rig.health().lastError).toMatch(/READONLY|is a replica/)
        expect(rig.changes.at(-1)?.durable).toBe(false)
      },
      heal: () => master.cli('REPLICAOF', 'NO', 'ONE').then(() => performance.now()),
      usableMs: 100,
      generations: 1,
    })
    const kept = rig.changes.filter(({ durable }) => !durable)
    expect(kept.length).toBeGreaterThan(3)
    bed.say(`${kept.length} invalidations kept and told afterwards, ${outcome.line}`)
  })

  fault('18: a replica whose master is gone: MASTERDOWN', async (bed) => {
    const server = await bed.server({ args: ['--replica-serve-stale-data', 'no'] })
    const nobody = await bed.port()
    const rig = bed.rig({ l2: () => redis({ url: server.url }) })
    const outcome = await outage(rig, {
      begin: async () => {
        await server.cli('REPLICAOF', '127.0.0.1', nobody)
        await until('both know', () => rig.nodes.every((_, n) => rig.health(n).state === 'down'))
      },
      during: () => {
        const said = together(rig.states.map(({ health }) => health.lastError))
        expect(said).toMatch(/MASTERDOWN/)
      },
      heal: () => server.cli('REPLICAOF', 'NO', 'ONE').then(() => performance.now()),
      usableMs: 100,
      generations: 1,
    })
    const answered = rig.nodes.flatMap(({ errors }) => errors.map(({ error }) => String(error)))
    expect(together(answered)).toMatch(/MASTERDOWN/)
    bed.say(outcome.line)
  })

  fault('16: the server loads its data', async (bed) => {
    const server = await bed.server()
    const rig = bed.rig({ l2: () => redis({ url: server.url }) })
    let connectionsBefore = 0
    let loads = 0
    const slow = ['--key-load-delay', '600', '--loading-process-events-interval-bytes', '1024']
    const outcome = await outage(rig, {
      begin: async () => {
        await server.cli('DEBUG', 'POPULATE', 3_000)
        await server.cli('SAVE')
        await server.restart({ args: slow, whileLoading: true })
        await until('both know that it loads', () =>
          rig.nodes.every((_, node) => /LOADING/.test(rig.health(node).lastError ?? '')),
        )
        connectionsBefore = (await connectionsOf(server)).length
      },
      lastsMs: 800,
      during: () => expect(rig.health().state).toBe('down'),
      heal: async () => {
        loads = (await connectionsOf(server)).length
        await until(
          'it has loaded',
          async () => (await server.info('persistence')).loading === '0',
          { everyMs: 2 },
        )
        return performance.now()
      },
      usableMs: 500,
      generations: 1,
    })
    // Each node waits on the connection that it has.
    expect(connectionsBefore).toBe(2)
    expect(loads).toBe(2)
    const stats = await server.info('stats')
    expect(Number(stats.total_connections_received)).toBeLessThan(8)
    bed.say(outcome.line)
  })

  fault('17: the server cannot save, and takes no writes: MISCONF', async (bed) => {
    const server = await bed.server()
    const rig = bed.rig({ l2: () => redis({ url: server.url }), nodes: 1 })
    await rig.untilUsable()
    await rig.fill()
    const gone = join(server.folder, 'gone')
    mkdirSync(gone)
    await server.cli('CONFIG', 'SET', 'save', '3600 1')
    await server.cli('CONFIG', 'SET', 'dir', gone)
    rmSync(gone, { recursive: true })
    await server.cli('BGSAVE').catch(() => {})
    await until('the save has failed', async () => {
      const { rdb_last_bgsave_status: status } = await server.info('persistence')
      return status === 'err'
    })
    const from = performance.now()
    const reads = await rig.load({ while: () => sleep(1_500) })
    expect(rig.health()).toMatchObject({ state: 'ready', breaker: { read: 'closed' } })
    expect(rig.health().breaker.write).not.toBe('closed')
    expect(rig.cache.health().status).toBe('degraded')
    expect(rig.health().lastError).toMatch(/MISCONF/)
    const remote = reads.filter(({ way }) => way === 'remote')
    const hits = remote.filter(({ source }) => source === 'l2').length / remote.length
    expect(hits, 'reads answered by L2').toBeGreaterThan(0.7)
    mkdirSync(gone)
    await server.cli('CONFIG', 'SET', 'dir', gone)
    await server.cli('BGSAVE')
    await until('it is saved', async () => {
      const { rdb_last_bgsave_status: status } = await server.info('persistence')
      return status === 'ok'
    })
    const healedAt = performance.now()
    await rig.load({ while: () => rig.untilUsable() })
    const usable = (rig.usableAt(from) ?? healedAt) - healedAt
    // Nobody says that it takes writes again: a probe of once a second finds out.
    expect(usable).toBeLessThan(1_500 + rig.lag(healedAt, performance.now()))
    await recovers(rig, healedAt)
    const outages = [{ from, to: performance.now() }]
    holdsInvariants(rig, { boundMs: BOUND_MS, outages })
    bed.say(
      `${Math.round(hits * 100)} % of the reads answered by L2, written again after ${ms(usable)}`,
    )
  })
})

function together(texts: readonly (string | undefined)[]): string {
  return texts.join('\n')
}
