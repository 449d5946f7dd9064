import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, vi } from 'vitest'
import { redis } from '../../../src/redis.ts'
import { type Bed, fault } from './fixture.ts'
import { connectionsOf, cutOff } from './groups.ts'
import { addsNothing, holdsInvariants, ms, shown } from './invariants.ts'
import { BOUND_MS, outage } from './outage.ts'

interface Address {
  readonly address: string
  readonly family: number
}

const dns = vi.hoisted(() => ({
  answer: undefined as ((name: string) => Promise<Address[]>) | undefined,
  underWay: new Map<string, number>(),
  most: 0,
  calls: 0,
}))

vi.mock('node:dns/promises', async (original) => {
  const real = await original<typeof import('node:dns/promises')>()
  const lookup = async (name: string, options: { all: true }): Promise<Address[]> => {
    const now = (dns.underWay.get(name) ?? 0) + 1
    dns.calls++
    dns.underWay.set(name, now)
    dns.most = Math.max(dns.most, now)
    try {
      return await (dns.answer?.(name) ?? real.lookup(name, options))
    } finally {
      dns.underWay.set(name, (dns.underWay.get(name) ?? 1) - 1)
    }
  }
  return { ...real, lookup }
})

beforeEach(() => {
  dns.answer = undefined
  dns.most = 0
  dns.calls = 0
})

const at = (address: string) => async () => [{ address, family: 4 }]

describe('names', () => {
  for (const [what, answer] of [
    ['the system says that there are none', undefined],
    [
      'they take 5 s to fail',
      () => sleep(5_000, undefined, { ref: false }).then(() => Promise.reject(notFound())),
    ],
  ] as const) {
    fault(`2: names of sentinels do not resolve: ${what}`, async (bed) => {
      dns.answer = answer
      const sentinels = [1, 2, 3].map((n) => `sentinel-${n}-${dns.answer ? 'slow' : ''}.invalid`)
      const l2 = () => redis({ sentinels, masterName: 'mymaster' })
      const rig = bed.rig({ l2, nodes: 3 })
      const from = performance.now()
      const reads = await rig.load({ while: () => sleep(2_500) })
      const added = addsNothing(reads)
      expect(rig.health()).toMatchObject({
        state: answer ? /down|connecting/ : 'down',
        source: /none|sentinel/,
      })
      if (!answer) {
        expect(rig.health()).toMatchObject({ state: 'down', source: 'none' })
        expect(rig.health().lastError).toMatch(/ENOTFOUND|EAI_AGAIN.*[Cc]heck the host names/)
      }
      expect(dns.most, 'look-ups of one name at a time').toBe(1)
      expect(dns.calls).toBeLessThan(3 * 10)
      const outages = [{ from, to: performance.now() }]
      holdsInvariants(rig, { boundMs: BOUND_MS, outages })
      bed.say(`${what}: ${dns.calls} look-ups in 2.5 s for 3 nodes, ${shown(added)}`)
    })
  }

  fault('41: the name leads to another address after a failover', async (bed) => {
    const { master, replicas } = await bed.replicated()
    const [replica] = replicas
    if (!replica) throw new Error('there is a replica')
    await elsewhere(bed, master.port, replica.port)
    dns.answer = at('127.0.0.1')
    const rig = bed.rig({ l2: () => redis({ url: `redis://managed.test:${master.port}` }) })
    const outcome = await outage(rig, {
      begin: async () => {
        await master.kill()
        await replica.cli('REPLICAOF', 'NO', 'ONE')
      },
      lastsMs: 1_500,
      heal: () => {
        dns.answer = at('127.0.0.2')
      },
      // A name is looked up once a second at most.
      usableMs: 1_100,
      generations: 1,
    })
    // Of each node one for data, one for messages.
    expect((await connectionsOf(replica)).length).toBe(4)
    bed.say(outcome.line.replace('its end', 'the name was changed'))
  })

  fault(
    '41: the name leads to another address, the old server lives and is cut off',
    async (bed) => {
      const { master, replicas } = await bed.replicated()
      const [replica] = replicas
      if (!replica) throw new Error('there is a replica')
      await elsewhere(bed, master.port, replica.port)
      dns.answer = at('127.0.0.1')
      const rig = bed.rig({ l2: () => redis({ url: `redis://managed.test:${master.port}` }) })
      const outcome = await outage(rig, {
        begin: async () => {
          await replica.cli('REPLICAOF', 'NO', 'ONE')
          dns.answer = at('127.0.0.2')
          await master.cli('REPLICAOF', '127.0.0.1', replica.port)
          await cutOff(master)
        },
        lastsMs: 0,
        isLost: false,
        heal: () => {},
        usableMs: 1_100,
        generations: 1,
      })
      expect(await connectionsOf(master)).toEqual([])
      bed.say(`demoted: ${ms(outcome.usableMs)} until the new address was used`)
    },
  )
})

function notFound(): Error {
  return Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
}

/** The other server, on the same port of another address: names lead to addresses, not to ports. */
async function elsewhere(bed: Bed, port: number, target: number): Promise<void> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const other = connect(target, '127.0.0.1')
    for (const socket of [client, other]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.pipe(other).pipe(client)
    client.on('close', () => other.destroy())
    other.on('close', () => client.destroy())
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.2', done))
  bed.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
}
