import type { Store } from '../../../contracts/store.ts'
import { optionsFromEnv, type RedisEnv } from './env-options.ts'
import { redis } from './redis-store.ts'

/**
 * The level that the environment describes, as {@link redis} makes it. `REDIS_MODE` is `standalone`,
 * `sentinel` or `cluster`, and may be left out where the others leave no doubt; where it is set, the
 * variables of the other modes are ignored.
 *
 * - standalone: `REDIS_URL`, or `REDIS_HOST` with `REDIS_PORT`
 * - sentinel: `REDIS_SENTINELS` (`host:port,host:port`), `REDIS_MASTER_NAME`,
 *   `REDIS_SENTINEL_PASSWORD`, and `REDIS_STANDALONE` for servers to fall back to
 * - cluster: `REDIS_CLUSTER_NODES` or `REDIS_HOST` (`host:port,host:port`), or `REDIS_URL`
 * - all: `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_TLS` (`true`, `false`, `1`, `0`; also for the
 *   sentinels)
 *
 * An empty variable counts as not set.
 *
 * @throws ERR_INVALID_OPTION that names the variable, never with its value where that may be secret
 */
export function redisFromEnv(env: RedisEnv = process.env): Store {
  return redis(optionsFromEnv(env))
}
