import type { ServerInfo } from '../../adapters/redis/ioredis/discovery.ts'
import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import { type KeySpace, STAMPS } from '../../adapters/redis/key-space.ts'
import type { CliWorld } from '../cli-world.ts'
import type { Connection } from '../wire/connection.ts'
import type { Reached } from '../wire/reach.ts'

/** A server that is looked at, and the keys that may be used for it. */
export interface Patient {
  readonly connection: Connection
  /** One more connection to the same server. */
  reach(): Promise<Reached>
  readonly info: ServerInfo
  readonly settings: Settings
  readonly world: CliWorld
  /** Of a cache that does not exist; in Cluster in a slot that this node has. */
  readonly space: KeySpace
  readonly isClustered: boolean
}

const CANARY = 'canary'

/** Throw-away keys of the same shape as those of a cache: the ACL rules are for these shapes. */
export interface CanaryKeys {
  readonly sequence: string
  readonly entry: string
  readonly lease: string
  readonly stamp: string
}

export function canaryKeys(space: KeySpace): CanaryKeys {
  return {
    sequence: space.sequence(STAMPS),
    entry: space.entry(STAMPS, CANARY),
    lease: space.lease(STAMPS, CANARY),
    stamp: space.stamp(CANARY),
  }
}

/** One by one: a user who may not delete one may delete the others. They end by themselves too. */
export async function dropCanary({ connection, space }: Patient): Promise<void> {
  const keys = Object.values(canaryKeys(space))
  await connection.all(keys.map((key) => ['DEL', key]))
}

export function versionOf(info: ServerInfo): readonly [major: number, minor: number] {
  const [major = 0, minor = 0] = (info.redis_version ?? '').split('.').map(Number)
  return [major || 0, minor || 0]
}
