export type { RedisEndpoint } from './adapters/redis/ioredis/endpoints.ts'
export { redisFromEnv } from './adapters/redis/ioredis/redis-from-env.ts'
export type { RedisClient, RedisOptions } from './adapters/redis/ioredis/redis-options.ts'
export { redis } from './adapters/redis/ioredis/redis-store.ts'
