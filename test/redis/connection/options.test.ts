import { describe, expect, it } from 'vitest'
import { checkRedisOptions } from '../../../src/adapters/redis/ioredis/check-redis-options.ts'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import { type RedisOptions, redis } from '../../../src/redis.ts'

const SECRET = 'hunter2'
const sentinels = { sentinels: ['a:1'], masterName: 'm' }
const url = 'redis://localhost'

describe('redis()', () => {
  it.each<[unknown, RegExp]>([
    ['redis://x', /options object/],
    [{}, /url.*sentinels.*cluster.*client/],
    [{ urls: url }, /'urls'; did you mean 'url'\?/],
    [{ sentinel: ['a'] }, /did you mean 'sentinels'/],
    [{ url, masterNme: 'x' }, /did you mean 'masterName'/],
    [{ url, cluster: ['a'] }, /one of.*url and cluster/],
    [{ url: 42 }, /url must be text, got a number/],
    [{ url: `localhost:6379` }, /redis:\/\/ or rediss:\/\//],
    [{ url: `redus://u:${SECRET}@h` }, /redis:\/\/ or rediss:\/\//],
    [{ url: `redis://u:${SECRET}@h:99999` }, /not a valid url|port/],
    [{ url: `redis://u:${SECRET}#1@h` }, /%23|not a valid url/],
    [{ url: `redis://u:${SECRET}/1@h` }, /%2F|not a valid url/],
    [{ url: `redis://u:${SECRET}@h?db=1` }, /query/],
    [{ url: `redis://u:${SECRET}@h/cache` }, /number of a database/],
    [{ url: `redis://u:%zz${SECRET}@h` }, /%25/],
    [{ url: 'redis:///0' }, /no host|not a valid url/],
    [{ url: `redis://u:${SECRET}@h`, password: SECRET }, /both in url and/],
    [{ url: 'redis://h/1', db: 2 }, /different databases/],
    [{ url, tls: true }, /rediss/],
    [{ url: 'rediss://h', tls: false }, /write redis:\/\//],
    [{ url, tls: 'yes' }, /tls must be true, false or options/],
    [{ url, password: 42 }, /password must be text, got a number/],
    [{ url, password: '' }, /empty text/],
    [{ url, username: 'app' }, /no password/],
    [{ url, db: -1 }, /db must be/],
    [{ url, db: '1' }, /db must be/],
    [{ url, prefix: 'a{b}' }, /braces/],
    [{ url, prefix: 'a\nb' }, /control/],
    [{ url, prefix: '' }, /prefix/],
    [{ url, timeout: 0 }, /timeout must be > 0/],
    [{ url, timeout: '2m' }, /at most '1m'/],
    [{ url, timeout: 'soon' }, /timeout must be a duration/],
    [{ url, coherence: 'buss' }, /did you mean 'bus'/],
    [{ url, connections: 0 }, /connections/],
    [{ url, connections: 1.5 }, /connections/],
    [{ url, maxValueBytes: '9mb' }, /at most '8mb'/],
    [{ url, maxValueBytes: 'big' }, /maxValueBytes/],
    [{ url, standalone: 'a' }, /standalone means something only beside sentinels/],
    [{ sentinels: ['a:1'] }, /masterName.*sentinel monitor/],
    [{ ...sentinels, sentinels: 'a:1' }, /list of 'host:port'/],
    [{ ...sentinels, sentinels: [] }, /empty/],
    [
      { ...sentinels, sentinels: ['a:1', `redis://u:${SECRET}@h`] },
      /sentinels\[1\].*without redis/,
    ],
    [{ ...sentinels, sentinels: ['a:0'] }, /port of sentinels\[0\]/],
    [{ ...sentinels, sentinels: ['a:b'] }, /sentinels\[0\] must be/],
    [{ ...sentinels, sentinels: ['::1'] }, /brackets/],
    [{ ...sentinels, sentinels: ['a:1,b:1'] }, /comma/],
    [{ ...sentinels, sentinels: [{ hots: 'a' }] }, /did you mean 'host'/],
    [{ ...sentinels, sentinels: [{ host: 'a:1' }] }, /needs a host/],
    [{ ...sentinels, sentinels: [{ host: 'a', port: '1' }] }, /port.*got text/],
    [{ ...sentinels, fallback: 'readonly' }, /did you mean 'read-only'/],
    [{ ...sentinels, fallback: 'off', standalone: 'a' }, /never used/],
    [{ ...sentinels, sentinelUsername: 'u' }, /sentinelPassword/],
    [{ ...sentinels, sentinelTls: 1 }, /sentinelTls/],
    [{ cluster: 'a:1' }, /cluster must be a list/],
    [{ cluster: ['a:1'], db: 1 }, /db must be 0/],
    [{ client: {} }, /Redis or Cluster of ioredis/],
    [{ client: 'x' }, /got text/],
  ])('refuses %j', (options, message) => {
    let error: unknown
    try {
      redis(options as RedisOptions)
    } catch (thrown) {
      error = thrown
    }
    if (!isResilienceError(error, 'ERR_INVALID_OPTION')) throw error ?? new Error('accepted')
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain(SECRET)
  })

  it.each(['username', 'password', 'tls', 'db', 'connections'])(
    'refuses %s beside a client, where it would have no effect',
    (name) => {
      const client = { status: 'wait', sendCommand() {}, duplicate() {}, on() {}, connect() {} }
      expect(() => redis({ client, [name]: 1 } as never)).toThrow(/no effect beside client/)
    },
  )

  it('takes defaults from nowhere else', () => {
    expect(checkRedisOptions({ url })).toEqual({
      target: { kind: 'standalone', endpoint: { host: 'localhost', port: 6379 } },
      credentials: {},
      db: 0,
      prefix: 'rc',
      timeoutMs: 50,
      coherence: 'bus',
      connections: 1,
      maxValueBytes: 1024 * 1024,
    })
  })

  it('understands all of a url', () => {
    expect(
      checkRedisOptions({ url: 'rediss://a%40b:p%2Fw@[::1]:7000/3', tls: { servername: 'x' } }),
    ).toMatchObject({
      target: { endpoint: { host: '::1', port: 7000 } },
      credentials: { username: 'a@b', password: 'p/w' },
      db: 3,
      tls: { servername: 'x' },
    })
    expect(checkRedisOptions({ url: 'redis://:pw@h' }).credentials).toEqual({ password: 'pw' })
    expect(checkRedisOptions({ url: 'redis://h', password: 'pw' }).credentials).toEqual({
      password: 'pw',
    })
  })

  it('understands sentinels and what they fall back to', () => {
    expect(
      checkRedisOptions({
        sentinels: ['a', '[::1]:7', { host: '::2' }],
        masterName: 'm',
        standalone: ['s', { host: 't', port: 1 }],
        sentinelPassword: 'sp',
        sentinelTls: true,
        tls: true,
        password: 'pw',
      }),
    ).toMatchObject({
      target: {
        kind: 'sentinel',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: '::1', port: 7 },
          { host: '::2', port: 26_379 },
        ],
        standalone: [
          { host: 's', port: 6379 },
          { host: 't', port: 1 },
        ],
        fallback: 'read-write',
        sentinelCredentials: { password: 'sp' },
        sentinelTls: {},
      },
      tls: {},
      credentials: { password: 'pw' },
    })
  })

  it('is only a description until a cache opens it', () => {
    const store = redis({ url, timeout: '80ms', coherence: 'ttl-only' })
    expect(store).toMatchObject({
      source: 'standalone',
      coherence: 'ttl-only',
      supports: { leases: true, atomic: true },
      timeoutMs: 80,
    })
    expect(redis({ ...sentinels }).source).toBe('sentinel')
    expect(redis({ cluster: ['a'] }).source).toBe('cluster')
    expect(process.getActiveResourcesInfo().filter((one) => one.startsWith('TCP'))).toEqual([])
  })
})
