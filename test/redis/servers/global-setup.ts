import { ensureRedis } from '../../../scripts/find-redis.ts'

/** Before the first test of the project: the workers inherit the path. */
export async function setup(): Promise<void> {
  const { path } = await ensureRedis()
  process.env.RC_REDIS_SERVER = path
}
