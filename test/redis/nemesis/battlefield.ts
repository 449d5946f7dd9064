import { redis } from '../../../src/redis.ts'
import type { Bed } from '../faults/fixture.ts'
import type { Rig } from '../faults/rig.ts'
import type { FaultProxy } from '../servers/proxy.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import type { Replicated } from '../servers/replicated.ts'
import type { Sentinels } from '../servers/sentinels.ts'
import { until } from '../servers/until.ts'

/** How often the proxies look where the master is. */
const FOLLOW_MS = 25

/**
 * A master, two replicas and three sentinels, and four caches: two that find the master through the
 * sentinels, and two behind proxies that follow it, as the endpoint of a managed Redis does.
 */
export class Battlefield {
  readonly group: Replicated
  readonly sentinels: Sentinels
  readonly proxies: readonly FaultProxy[]
  readonly rig: Rig
  /** Of the server that the proxies lead to. */
  #port: number
  readonly #timer: NodeJS.Timeout

  constructor(group: Replicated, sentinels: Sentinels, proxies: readonly FaultProxy[], rig: Rig) {
    this.group = group
    this.sentinels = sentinels
    this.proxies = proxies
    this.rig = rig
    this.#port = group.master.port
    this.#timer = setInterval(() => void this.#follow().catch(() => {}), FOLLOW_MS)
  }

  static async open(bed: Bed): Promise<Battlefield> {
    const group = await bed.replicated({ replicas: 2 })
    const sentinels = await bed.sentinels(group.master)
    const proxies = [await bed.proxy(group.master), await bed.proxy(group.master)]
    const rig = bed.rig({
      nodes: 4,
      l2: (node) =>
        node < 2
          ? redis({ sentinels: sentinels.addresses, masterName: sentinels.name })
          : redis({ url: (proxies[node - 2] as FaultProxy).url }),
      // Short enough for entries to run out by themselves now and then.
      cache: { ttl: '4s', grace: 0 },
    })
    const field = new Battlefield(group, sentinels, proxies, rig)
    bed.after(() => field.#stop())
    await rig.untilUsable()
    return field
  }

  /** The server that the sentinels name, if it runs. */
  async master(): Promise<RedisProcess | undefined> {
    const { port } = await this.sentinels.master()
    return this.group.servers.find((server) => server.running && server.port === port)
  }

  /** Whether a failover would find a replica that is worth it. */
  async isWhole(): Promise<boolean> {
    const fields = Object.values((await (await this.master())?.info('replication')) ?? {})
    return fields.filter((value) => value.includes('state=online')).length === 2
  }

  /** No cache is on another server than the one that the sentinels name, and all of them use it. */
  async untilGathered(): Promise<void> {
    const gathered = async (): Promise<boolean> => {
      const master = await this.master()
      if (!master || master.port !== this.#port || !this.rig.usable) return false
      for (const server of this.group.servers) {
        if (server === master || !server.running) continue
        const clients = await server.cli<string>('CLIENT', 'LIST')
        if (clients.includes('name=resilient-cache')) return false
      }
      return this.rig.usable
    }
    await until('all caches use the master', gathered, { withinMs: 15_000, everyMs: 10 })
  }

  async #follow(): Promise<void> {
    const { port } = await this.sentinels.master()
    if (port === this.#port) return
    this.#port = port
    for (const proxy of this.proxies) {
      proxy.retarget({ port })
      proxy.reset()
    }
  }

  #stop(): void {
    clearInterval(this.#timer)
  }
}
