import { findRedis, type RedisBinary } from '../../../scripts/find-redis.ts'

let known: RedisBinary | undefined

/** The server that the global set-up found; outside of vitest the one of this machine. */
export function redisBinary(): RedisBinary {
  const path = process.env.RC_REDIS_SERVER
  if (path !== undefined) process.env.REDIS_SERVER_BIN ??= path
  known ??= findRedis()
  if (known === undefined) {
    throw new Error(
      'No redis-server was found: run `node scripts/find-redis.ts` and read its advice',
    )
  }
  return known
}
