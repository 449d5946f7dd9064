import { describe, expect, it } from 'vitest'
import { optionsFromEnv } from '../../../src/adapters/redis/ioredis/env-options.ts'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import { redisFromEnv } from '../../../src/redis.ts'

const SECRET = 'hunter2'

describe('redisFromEnv()', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['nothing set', {}, /set REDIS_URL=redis:\/\/host:6379, or REDIS_HOST/],
    ['only empty', { REDIS_URL: ' ' }, /set REDIS_URL/],
    ['a name mistyped', { REDIS_ULR: 'redis://h' }, /REDIS_ULR is set: was REDIS_URL meant/],
    ['a mode mistyped', { REDIS_MODE: 'sentinal' }, /REDIS_MODE.*did you mean 'sentinel'/],
    [
      'two ways',
      { REDIS_URL: 'redis://h', REDIS_SENTINELS: 'a' },
      /REDIS_SENTINELS and REDIS_URL.*REDIS_MODE/,
    ],
    ['url and host', { REDIS_URL: 'redis://h', REDIS_HOST: 'h' }, /REDIS_URL and REDIS_HOST/],
    ['no url', { REDIS_MODE: 'standalone' }, /needs REDIS_URL or REDIS_HOST/],
    [
      'no sentinels',
      { REDIS_MODE: 'sentinel', REDIS_SENTINEL: 'a' },
      /REDIS_SENTINEL is set: was REDIS_SENTINELS meant/,
    ],
    ['no master', { REDIS_SENTINELS: 'a' }, /REDIS_MASTER_NAME/],
    ['no nodes', { REDIS_MODE: 'cluster' }, /REDIS_CLUSTER_NODES/],
    ['a bad url', { REDIS_URL: `http://u:${SECRET}@h` }, /^REDIS_URL must begin/],
    [
      'a bad sentinel',
      { REDIS_SENTINELS: 'a,b:x', REDIS_MASTER_NAME: 'm' },
      /REDIS_SENTINELS \(2 of 2\)/,
    ],
    [
      'an empty sentinel',
      { REDIS_SENTINELS: 'a,,b', REDIS_MASTER_NAME: 'm' },
      /REDIS_SENTINELS \(2 of 3\)/,
    ],
    ['a bad port', { REDIS_HOST: 'h', REDIS_PORT: 'x' }, /REDIS_PORT must be/],
    [
      'a port of kubernetes',
      { REDIS_HOST: 'h', REDIS_PORT: 'tcp://10.0.0.1:6379' },
      /enableServiceLinks/,
    ],
    ['two ports', { REDIS_HOST: 'h:1', REDIS_PORT: '2' }, /REDIS_HOST has a port/],
    ['a bad tls', { REDIS_HOST: 'h', REDIS_TLS: 'yes' }, /REDIS_TLS must be true, false, 1 or 0/],
    [
      'contrary tls',
      { REDIS_URL: 'rediss://h', REDIS_TLS: '0' },
      /REDIS_TLS is false but REDIS_URL/,
    ],
    [
      'two passwords',
      { REDIS_URL: `redis://:${SECRET}@h`, REDIS_PASSWORD: SECRET },
      /REDIS_PASSWORD is set and REDIS_URL/,
    ],
    ['no password', { REDIS_HOST: 'h', REDIS_USERNAME: 'u' }, /REDIS_PASSWORD is not/],
    [
      'a database in a cluster',
      { REDIS_MODE: 'cluster', REDIS_URL: 'redis://h/2' },
      /REDIS_URL names a database/,
    ],
    [
      'a bad fallback',
      { REDIS_SENTINELS: 'a', REDIS_MASTER_NAME: 'm', REDIS_STANDALONE: 'redis://h' },
      /REDIS_STANDALONE/,
    ],
  ])('refuses %s', (_what, env, message) => {
    let error: unknown
    try {
      redisFromEnv(env)
    } catch (thrown) {
      error = thrown
    }
    if (!isResilienceError(error, 'ERR_INVALID_OPTION')) throw error ?? new Error('accepted')
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain(SECRET)
  })

  it.each<[Record<string, string>, object]>([
    [{ REDIS_URL: 'rediss://u:p@h/1', REDIS_TLS: 'true' }, { url: 'rediss://u:p@h/1' }],
    [{ REDIS_HOST: 'h' }, { url: 'redis://h:6379' }],
    [{ REDIS_HOST: '::1', REDIS_PORT: '7', REDIS_TLS: '1' }, { url: 'rediss://[::1]:7' }],
    [
      { REDIS_HOST: 'h:7', REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p', REDIS_TLS: 'FALSE' },
      { url: 'redis://h:7', username: 'u', password: 'p' },
    ],
    [
      {
        REDIS_SENTINELS: 'a:1, b,',
        REDIS_MASTER_NAME: 'm',
        REDIS_STANDALONE: 's',
        REDIS_PASSWORD: 'p',
        REDIS_SENTINEL_PASSWORD: 'sp',
        REDIS_TLS: 'true',
      },
      {
        sentinels: [
          { host: 'a', port: 1 },
          { host: 'b', port: 26_379 },
        ],
        masterName: 'm',
        standalone: [{ host: 's', port: 6379 }],
        password: 'p',
        sentinelPassword: 'sp',
        tls: true,
        sentinelTls: true,
      },
    ],
    [
      { REDIS_CLUSTER_NODES: 'a:1,b' },
      {
        cluster: [
          { host: 'a', port: 1 },
          { host: 'b', port: 6379 },
        ],
      },
    ],
    [
      { REDIS_MODE: 'cluster', REDIS_HOST: 'a,b:1', REDIS_PORT: '7' },
      {
        cluster: [
          { host: 'a', port: 7 },
          { host: 'b', port: 1 },
        ],
      },
    ],
    [
      { REDIS_MODE: 'cluster', REDIS_URL: 'rediss://u:p@a:1' },
      { cluster: [{ host: 'a', port: 1 }], tls: true, username: 'u', password: 'p' },
    ],
    // The mode decides, so that one variable switches.
    [
      { REDIS_MODE: 'Standalone', REDIS_URL: 'redis://h', REDIS_SENTINELS: 'a' },
      { url: 'redis://h' },
    ],
  ])('understands %j', (env, options) => {
    expect(optionsFromEnv(env)).toEqual(options)
    expect(redisFromEnv(env).supports.atomic).toBe(true)
  })
})
