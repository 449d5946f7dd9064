import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { redis } from '../../../src/redis.ts'
import { until } from '../servers/until.ts'
import { BusProxy } from './bus-proxy.ts'
import { fault } from './fixture.ts'
import { holdsInvariants, ms, recovers } from './invariants.ts'
import { BOUND_MS } from './outage.ts'

describe('the connection for messages', () => {
  fault('35: it is lost silently, while all else goes on', async (bed) => {
    const server = await bed.server()
    const proxy = await new BusProxy(server.port).listen()
    bed.after(() => proxy.stop())
    const rig = bed.rig({ l2: () => redis({ url: `redis://127.0.0.1:${proxy.port}` }) })
    await rig.untilUsable()
    await rig.fill()
    const from = performance.now()
    let seen = 0
    await rig.load({
      changesPerSecond: 10,
      while: async () => {
        await sleep(300)
        proxy.isMute = true
        const muted = performance.now()
        const gaps = rig.nodes.map((node) => node.gaps)
        await until('all nodes know that they have missed something', () =>
          rig.nodes.every((node, index) => node.gaps > (gaps[index] as number)),
        )
        seen = performance.now() - muted
        await sleep(2_000)
        proxy.isMute = false
        await sleep(1_500)
      },
    })
    expect(seen).toBeLessThan(2_000 + rig.lag(from, performance.now()))
    // Data never stopped.
    expect(rig.states.filter(({ at, health }) => at > from && health.state === 'down')).toEqual([])
    const { gaps } = rig.nodes[0] as { gaps: number }
    const ratio = await recovers(rig, performance.now())
    // No outage is allowed for: what was acknowledged holds though no message came.
    holdsInvariants(rig, { boundMs: BOUND_MS, generations: gaps })
    bed.say(
      `seen after ${ms(seen)}, ${rig.changes.length} invalidations, none served beyond 1.3 s, then ${Math.round(ratio * 100)} % hits`,
    )
  })
})
