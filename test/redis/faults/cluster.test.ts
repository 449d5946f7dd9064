import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { slotOf } from '../../../src/adapters/redis/ioredis/cluster-slot.ts'
import { KeySpace, STAMPS } from '../../../src/adapters/redis/key-space.ts'
import { redis } from '../../../src/redis.ts'
import { joinNode, moveSlot } from '../cluster/operate.ts'
import { type Cluster, type ClusterOptions, startCluster } from '../servers/cluster.ts'
import { freePort, releasePort } from '../servers/ports.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { type Bed, fault } from './fixture.ts'
import { hitRatio, holdsInvariants, ms, recovers } from './invariants.ts'
import { BOUND_MS, outage } from './outage.ts'
import type { Rig } from './rig.ts'

/**
 * While the keys of a slot are on their way Redis answers scripts over several of them with TRYAGAIN:
 * they are misses once a deadline is over, and all of them while the stamps' own slot moves.
 */
const ENOUGH = 0.8

/** A node that was restarted is cold: one cache loads, the others wait for it, and have its value. */
const COLD_MS = BOUND_MS + 250

interface Ground {
  readonly cluster: Cluster
  readonly rig: Rig
  /** Where the parts of the rig's cache lie. */
  readonly space: KeySpace
}

async function ground(bed: Bed, options: ClusterOptions): Promise<Ground> {
  const cluster = await startCluster({ nodeTimeoutMs: 1_000, ...options })
  bed.after(() => cluster.stop())
  const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
  const names: string[] = []
  const rig = bed.rig({
    l2: () => {
      const store = redis({ cluster: nodes })
      return {
        ...store,
        open: (context) => {
          names.push(context.space)
          return store.open(context)
        },
      }
    },
  })
  return { cluster, rig, space: new KeySpace('rc', names[0] as string, true) }
}

/** The epoch of each part, by the node that has it. */
async function epochs(
  cluster: Cluster,
  space: KeySpace,
  ...joined: RedisProcess[]
): Promise<unknown[]> {
  const nodes = [...cluster.nodes, ...joined]
  return Promise.all(
    space.partitions.map(async (partition) => {
      const replies = await Promise.all(
        nodes.map((node) =>
          node.cli('HGET', space.sequence(partition), 'e').catch(() => undefined),
        ),
      )
      return replies.find((reply) => typeof reply === 'string')
    }),
  )
}

describe('a cluster', () => {
  fault('38: slots that move under load (MOVED, ASK, TRYAGAIN)', async (bed) => {
    const { cluster, rig, space } = await ground(bed, {})
    await rig.untilUsable()
    await rig.fill()
    const calls = rig.nodes.map(({ originCalls }) => originCalls)
    const states = rig.states.length
    let moved = 0
    const reads = await rig.load({
      changesPerSecond: 0,
      while: async () => {
        for (const partition of space.partitions.filter((_, at) => at % 6 === 0)) {
          const tag = space.hashTag(partition)
          const from = await cluster.ownerOf(tag)
          const to = cluster.nodes.find((node) => node !== from) as RedisProcess
          await moveSlot(slotOf(tag), from, to, cluster.nodes)
          moved++
        }
      },
    })
    expect(hitRatio(reads)).toBeGreaterThan(ENOUGH)
    expect(rig.states.slice(states).map(({ health }) => health.state)).not.toContain('down')
    const more = rig.nodes.map(({ originCalls }, node) => originCalls - (calls[node] as number))
    await recovers(rig, performance.now())
    holdsInvariants(rig, { boundMs: BOUND_MS, generations: 1 })
    bed.say(`${moved} slots moved, ${reads.length} reads, ${more.join(' and ')} more loads`)
  })

  fault('39: a node dead without a replica, full coverage: all of it is down', async (bed) => {
    const { cluster, rig } = await ground(bed, { fullCoverage: true })
    const [node] = cluster.nodes as [RedisProcess]
    const outcome = await outage(rig, {
      begin: () => node.kill(),
      lastsMs: 4_000,
      during: () => {
        expect(rig.health().state).toBe('down')
        expect(rig.health().lastError).toMatch(/CLUSTERDOWN/)
      },
      heal: async () => {
        await node.start()
        await cluster.settle()
      },
      usableMs: 1_500,
      boundMs: COLD_MS,
      generations: 2,
    })
    bed.say(outcome.line)
  })

  fault('39: a node dead without a replica, no full coverage: the others serve', async (bed) => {
    const { cluster, rig, space } = await ground(bed, { fullCoverage: false })
    const home = await cluster.ownerOf(space.hashTag(STAMPS))
    const node = cluster.nodes.find((one) => one !== home) as RedisProcess
    await rig.untilUsable()
    await rig.fill()
    const brokeAt = performance.now()
    await node.kill()
    const reads = await rig.load({ changesPerSecond: 0, while: () => sleep(3_000) })
    const away = reads.filter(({ way, start }) => way === 'remote' && start > brokeAt + 500)
    const hits = away.filter(({ source }) => source === 'l2').length / away.length
    bed.say(`${Math.round(hits * 100)} % of reads from L2 while a third of it is dead`)
    expect(hits).toBeGreaterThan(0.3)
    await node.start()
    await cluster.settle()
    const healedAt = performance.now()
    await rig.untilUsable()
    await recovers(rig, healedAt)
    const outages = [{ from: brokeAt, to: performance.now() }]
    holdsInvariants(rig, { boundMs: COLD_MS, outages, generations: 3 })
  })

  fault(
    '39: the node of the stamps dead, no full coverage: nothing can be believed',
    async (bed) => {
      const { cluster, rig, space } = await ground(bed, { fullCoverage: false })
      const home = await cluster.ownerOf(space.hashTag(STAMPS))
      const outcome = await outage(rig, {
        begin: () => home.kill(),
        lastsMs: 3_000,
        during: () => expect(rig.health().state).toBe('down'),
        heal: async () => {
          await home.start()
          await cluster.settle()
        },
        usableMs: 1_500,
        generations: 2,
      })
      bed.say(outcome.line)
    },
  )

  fault('40: resharding to a new node, and one that comes back at another port', async (bed) => {
    const { cluster, rig, space } = await ground(bed, { fullCoverage: false })
    await rig.untilUsable()
    await rig.fill()
    const joined = await joinNode(cluster)
    bed.after(() => joined.stop())
    const before = await epochs(cluster, space)
    const during = await rig.load({
      changesPerSecond: 0,
      while: async () => {
        for (const partition of space.partitions.filter((_, at) => at % 8 === 0)) {
          const tag = space.hashTag(partition)
          const from = await cluster.ownerOf(tag)
          await moveSlot(slotOf(tag), from, joined.node, [...cluster.nodes, joined.node])
        }
      },
    })
    expect(hitRatio(during)).toBeGreaterThan(ENOUGH)
    // Nobody began anew: what has moved is believed.
    expect(await epochs(cluster, space, joined.node)).toEqual(before)
    const [moving] = cluster.nodes as [RedisProcess]
    const port = await freePort()
    bed.after(() => releasePort(port))
    const brokeAt = performance.now()
    await rig.load({
      changesPerSecond: 0,
      while: async () => {
        await moving.kill()
        await moving.start({ args: ['--port', String(port)] })
        await sleep(2_000)
      },
    })
    const healedAt = performance.now()
    await rig.untilUsable()
    const ratio = await recovers(rig, healedAt)
    const outages = [{ from: brokeAt, to: performance.now() }]
    holdsInvariants(rig, { boundMs: COLD_MS, outages, generations: 4 })
    bed.say(`then ${Math.round(ratio * 100)} % hits, ${ms(performance.now() - brokeAt)} in all`)
  })
})
