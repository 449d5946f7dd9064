import type { RedisGroup } from './servers/redis-group.ts'

/** Something that happens to Redis, and how long we look at what comes of it. */
export interface Step {
  readonly name: string
  /** As the line of that second says it. */
  readonly note: string
  readonly seconds: number
  readonly quickSeconds: number
  readonly happens?: (group: RedisGroup) => Promise<void>
}

/** The outage of an audited service, and worse. */
export const TIMELINE: readonly Step[] = [
  { name: 'healthy', note: 'the service starts, empty', seconds: 10, quickSeconds: 3 },
  {
    name: 'no sentinels',
    note: 'all three sentinels are killed',
    seconds: 6,
    quickSeconds: 1,
    happens: (group) => group.killSentinels(),
  },
  {
    name: 'connections cut',
    note: 'all connections to the master are cut',
    seconds: 6,
    quickSeconds: 2,
    happens: (group) => group.cutConnections(),
  },
  {
    name: 'no Redis at all',
    note: 'master and replica are killed: nothing is left',
    seconds: 10,
    quickSeconds: 3,
    happens: (group) => group.killServers(),
  },
  {
    name: 'Redis is back, empty',
    note: 'all five are started again, empty',
    seconds: 10,
    quickSeconds: 3,
    happens: (group) => group.start(),
  },
  {
    name: 'planned failover',
    note: 'replica and master change roles',
    seconds: 8,
    quickSeconds: 3,
    happens: (group) => group.failOver(),
  },
]
