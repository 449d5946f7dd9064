import type { RedisProcess } from '../servers/redis-process.ts'
import type { Replicated } from '../servers/replicated.ts'
import type { Sentinels } from '../servers/sentinels.ts'
import { until } from '../servers/until.ts'
import type { Bed } from './fixture.ts'

/** A master with replicas, and the sentinels that watch them. */
export interface Group extends Replicated {
  readonly watch: Sentinels
}

/** Starts one master, one replica and three sentinels that agree about them. */
export async function startGroup(bed: Bed, replicas = 1): Promise<Group> {
  const replicated = await bed.replicated({ replicas })
  const watch = await bed.sentinels(replicated.master)
  return { ...replicated, watch }
}

/** Resolves to the instant at which a majority of the running sentinels names another master. */
export async function announced(watch: Sentinels, before: number): Promise<number> {
  await until(
    'a majority names another master',
    async () => {
      const running = watch.sentinels.filter((sentinel) => sentinel.running)
      const named = await Promise.all(running.map((sentinel) => watch.master(sentinel)))
      return named.filter(({ port }) => port !== before).length > watch.sentinels.length / 2
    },
    { withinMs: 15_000, everyMs: 2 },
  )
  return performance.now()
}

/** Connections of the cache, as the server sees them: their ids. */
export async function connectionsOf(server: RedisProcess): Promise<string[]> {
  const list = await server.cli<string>('CLIENT', 'LIST')
  return [...list.matchAll(/^id=(\d+) .*name=resilient-cache\b/gm)]
    .map(([, id]) => id as string)
    .sort()
}

/** As a load balancer does: they are gone, and the server stays. */
export async function cutOff(server: RedisProcess): Promise<void> {
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
  await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
}
