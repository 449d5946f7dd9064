import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { redis } from '../../../src/redis.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { until } from '../servers/until.ts'
import { type Bed, fault } from './fixture.ts'
import { connectionsOf, cutOff } from './groups.ts'
import { addsNothing, holdsInvariants, ms, recovers, shown } from './invariants.ts'
import { BOUND_MS } from './outage.ts'
import type { Rig } from './rig.ts'

const SECRET = 'correct horse'
const OTHER = 'battery staple'

describe('credentials and TLS', () => {
  fault('20: the password is changed at run time, and changed back', async (bed) => {
    const server = await bed.server({ requirepass: SECRET })
    const rig = bed.rig({
      l2: () => redis({ url: `redis://127.0.0.1:${server.port}`, password: SECRET }),
    })
    await rig.untilUsable()
    await rig.fill()
    const from = performance.now()
    await server.cli('CONFIG', 'SET', 'requirepass', OTHER)
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
    const reads = await rig.load({ while: () => sleep(3_000) })
    expectRefused(rig, /WRONGPASS.*check username and password/)
    const failedAt = rig.states.find(
      ({ at, health }) => at > from && /WRONGPASS/.test(health.lastError ?? ''),
    )?.at as number
    const added = addsNothing(reads.filter(({ start }) => start > failedAt))
    // One message for each node, however often it was tried.
    expect(rig.states.filter(({ at }) => at > failedAt + 100)).toEqual([])
    await server.cli('CONFIG', 'SET', 'requirepass', SECRET)
    await repaired(bed, rig, from, shown(added))
  })

  fault('20: a password is asked for that was not set', async (bed) => {
    const server = await bed.server()
    const rig = bed.rig({ l2: () => redis({ url: server.url }) })
    await rig.untilUsable()
    await rig.fill()
    const from = performance.now()
    await server.cli('CONFIG', 'SET', 'requirepass', SECRET)
    await cutOff(server).catch(() => {})
    const before = performance.now()
    await rig.load({ while: () => sleep(2_000) })
    expectRefused(rig, /NOAUTH.*set password/)
    expect(performance.now() - before).toBeGreaterThan(1_900)
    await server.cli('AUTH', SECRET)
    // Attempts at 5 s: one for each node so far, and what it took to learn of it.
    const stats = await server.info('stats')
    expect(Number(stats.total_connections_received)).toBeLessThan(12)
    await server.cli('CONFIG', 'SET', 'requirepass', '')
    await repaired(bed, rig, from, 'NOAUTH')
  })

  fault('20: the ACL takes rights away at run time: NOPERM', async (bed) => {
    const server = await bed.server()
    const all = ['ACL', 'SETUSER', 'app', 'reset', 'on', `>${SECRET}`, '~*', '&*', '+@all'] as const
    await server.cli(...all)
    const l2 = () =>
      redis({ url: `redis://127.0.0.1:${server.port}`, username: 'app', password: SECRET })
    const rig = bed.rig({ l2 })
    await rig.untilUsable()
    await rig.fill()
    const from = performance.now()
    await server.cli('ACL', 'SETUSER', 'app', '-@all')
    await rig.load({ while: () => sleep(1_500) })
    for (const [node] of rig.nodes.entries()) {
      expect(rig.health(node).lastError).toMatch(/NOPERM/)
      expect(rig.health(node).lastError).not.toContain(SECRET)
    }
    expect(rig.usable).toBe(false)
    await server.cli('ACL', 'SETUSER', 'app', '+@all')
    await repaired(bed, rig, from, 'NOPERM')
  })

  fault('20: INFO is denied, which is no reason not to connect', async (bed) => {
    const server = await bed.server()
    await server.cli('ACL', 'SETUSER', 'app', 'on', `>${SECRET}`, '~*', '&*', '+@all', '-info')
    const l2 = () =>
      redis({ url: `redis://127.0.0.1:${server.port}`, username: 'app', password: SECRET })
    const rig = bed.rig({ l2 })
    await rig.untilUsable()
    await rig.fill()
    expect((await connectionsOf(server)).length).toBeGreaterThan(0)
    bed.say('connected without INFO')
  })

  fault('42: certificates that do not do', async (bed) => {
    const { good, expired, wrongName, otherCa } = await makeCertificates()
    const servers = {
      good: await bed.server({ tls: good }),
      expired: await bed.server({ tls: expired }),
      wrongName: await bed.server({ tls: wrongName }),
      plain: await bed.server(),
    }
    const ca = readFileSync(good.ca, 'utf8')
    const cases = [
      ['expired', servers.expired, { ca }, /has expired/],
      ['of another authority', servers.good, { ca: readFileSync(otherCa, 'utf8') }, /not trusted/],
      ['for another name', servers.wrongName, { ca }, /for another name/],
      ['none: a plain server', servers.plain, { ca }, /TLS/],
      ['none wanted: a TLS server', servers.good, false, /TLS|not Redis/],
    ] as const
    for (const [what, server, tls, said] of cases) {
      const proxy = await bed.proxy(server)
      const scheme = tls ? 'rediss' : 'redis'
      const rig = bed.rig({ l2: () => redis({ url: `${scheme}://localhost:${proxy.port}`, tls }) })
      // A plain server waits for the end of a line: an attempt takes a second then.
      const reads = await rig.load({ while: () => sleep(1_600) })
      for (const node of [0, 1]) {
        expect(rig.health(node)).toMatchObject({ state: 'down', source: 'none' })
        expect(rig.health(node).lastError, what).toMatch(said)
      }
      const known = rig.states.find(({ health }) => health.state === 'down')?.at as number
      const added = addsNothing(reads.filter(({ start }) => start > known + 100))
      // What somebody has to change is tried again every 5 s; a reset may be anything, so sooner.
      const attempts = proxy.accepted
      const most = tls === false ? 2 * (1_600 / 25) : 4
      expect(attempts, `attempts: ${what}`).toBeLessThanOrEqual(most)
      expect(rig.states.length, `states told: ${what}`).toBeLessThanOrEqual(4)
      bed.say(`${what}: ${attempts} attempts of 2 nodes in 1.6 s, ${shown(added)}`)
      await rig.close()
    }
  })

  fault('42: an expired certificate is renewed', async (bed) => {
    const { good, expired } = await makeCertificates()
    const old = await bed.server({ tls: expired })
    const renewed = await bed.server({ tls: good })
    const proxy = await bed.proxy(old)
    const tls = { ca: readFileSync(good.ca, 'utf8') }
    const rig = bed.rig({ l2: () => redis({ url: `rediss://localhost:${proxy.port}`, tls }) })
    const from = performance.now()
    await until('it is known', () => rig.health().state === 'down')
    proxy.retarget({ port: renewed.port })
    await repaired(bed, rig, from, 'certificate')
  })
})

function expectRefused(rig: Rig, said: RegExp): void {
  for (const [node] of rig.nodes.entries()) {
    expect(rig.health(node)).toMatchObject({ state: 'down', source: 'none' })
    expect(rig.health(node).lastError).toMatch(said)
    expect(rig.health(node).lastError).not.toContain(SECRET)
    expect(rig.health(node).lastError).not.toContain(OTHER)
  }
}

/** Within 30 s, then as before. */
async function repaired(bed: Bed, rig: Rig, from: number, figures: string): Promise<void> {
  const at = performance.now()
  await rig.load({ perSecond: 50, changesPerSecond: 1, while: () => rig.untilUsable(30_000) })
  const to = performance.now()
  await recovers(rig, to)
  const outages = [{ from, to: performance.now() }]
  holdsInvariants(rig, { boundMs: BOUND_MS, outages, generations: 1 })
  bed.say(`${figures}, usable ${ms(to - at)} after it was repaired`)
}
