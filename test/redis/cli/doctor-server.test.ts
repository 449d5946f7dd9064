import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProxy } from '../servers/proxy.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startReplicated } from '../servers/replicated.ts'
import { startServer } from '../servers/server.ts'
import { diagnose, runCli, SECRET, WRONG_SECRET } from './run-cli.ts'

const GOOD = ['--maxmemory', '100mb', '--maxmemory-policy', 'volatile-lru']

describe('doctor on one server', () => {
  let server: RedisProcess
  let url: string

  beforeAll(async () => {
    server = await startServer({ requirepass: SECRET, args: GOOD })
    url = `redis://127.0.0.1:${server.port}`
  })
  afterAll(() => server.stop())

  async function user(name: string, ...rules: string[]): Promise<string[]> {
    await server.cli('ACL', 'SETUSER', name, 'reset', 'on', `>${SECRET}`, ...rules)
    return [url, '--username', name, '--password', SECRET]
  }

  it('finds nothing wrong with a good one, and leaves no key behind', async () => {
    const found = await diagnose([url], { env: { REDIS_PASSWORD: SECRET } })
    expect(found.at('problem')).toEqual([])
    expect(found.at('warning')).toEqual([])
    expect(found.code).toBe(0)
    expect(found.at('ok')).toEqual(
      expect.arrayContaining(['connection', 'version', 'role', 'eviction', 'permissions']),
    )
    expect(found.at('ok')).toEqual(expect.arrayContaining(['scripts', 'bus', 'latency', 'clock']))
    expect(await server.cli('DBSIZE')).toBe(0)
  })

  it('takes the server from REDIS_* as redisFromEnv does', async () => {
    const env = {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(server.port),
      REDIS_PASSWORD: SECRET,
    }
    expect((await diagnose([], { env })).code).toBe(0)
  })

  it('takes a password from standard input, and from the url', async () => {
    expect((await diagnose([url, '--password-stdin'], { stdin: `${SECRET}\n` })).code).toBe(0)
    expect((await diagnose([server.url])).code).toBe(0)
  })

  it('tells a wrong password from a missing one', async () => {
    const wrong = await diagnose([url, '--password', WRONG_SECRET])
    expect(wrong.of('login')).toEqual(['problem: Redis refused the credentials (WRONGPASS)'])
    expect(wrong.code).toBe(1)
    const missing = await diagnose([url])
    expect(missing.of('login')).toEqual(['problem: Redis asks for a password (NOAUTH)'])
    expect(missing.code).toBe(1)
  })

  it('warns of a password that the server does not ask for', async () => {
    const open = await startServer({ args: GOOD })
    try {
      const args = [open.url, '--password', WRONG_SECRET]
      const found = await diagnose(args)
      expect(found.at('warning')).toEqual(['login'])
      expect(found.code).toBe(0)
      expect((await diagnose([...args, '--strict'])).code).toBe(1)
    } finally {
      await open.stop()
    }
  })

  it('sees a user without EVAL, and everything else working', async () => {
    const found = await diagnose(
      await user('plain', '~rc:*', '&rc:*', '+@all', '-eval', '-evalsha', '-script'),
    )
    expect(found.at('problem')).toEqual(['scripts'])
    expect(found.findings.find(({ check }) => check === 'scripts')?.fix).toBe(
      'ACL SETUSER plain +eval +evalsha +script|load',
    )
    expect(found.code).toBe(1)
  })

  it('names the commands, keys and channels that are not allowed', async () => {
    const commands = await diagnose(
      await user('few', '~rc:*', '&rc:*', '+@all', '-hset', '-unlink'),
    )
    expect(commands.of('permissions')).toEqual(['problem: The user few may not run hset, unlink'])
    const keys = await diagnose(await user('other', '~other:*', '&rc:*', '+@all'))
    expect(keys.of('permissions')).toEqual([
      'problem: The user other may not use keys that begin with rc:',
    ])
    const channels = await diagnose(await user('quiet', '~rc:*', 'resetchannels', '+@all'))
    expect(channels.at('problem')).toEqual(['bus'])
    const silent = await diagnose(await user('silent', '~rc:*', '&rc:*', '+@all', '-publish'))
    expect(silent.of('bus')).toEqual(['problem: The user silent may not publish'])
  })

  it('goes on where INFO and CONFIG are not allowed', async () => {
    const found = await diagnose(await user('blind', '~rc:*', '&rc:*', '+@all', '-info', '-config'))
    expect(found.at('warning')).toEqual(['role'])
    expect(found.at('ok')).toEqual(expect.arrayContaining(['scripts', 'bus', 'latency']))
  })

  it('accepts the rules that it recommends', async () => {
    const rules = [
      '~rc:*',
      '&rc:*',
      '+@read',
      '+@write',
      '+@connection',
      '+@pubsub',
      '+time',
      '+info',
    ]
    const found = await diagnose(
      await user('cache', ...rules, '+eval', '+evalsha', '+script|load', '-@dangerous', '+info'),
    )
    expect(found.at('problem')).toEqual([])
    expect(found.code).toBe(0)
  })

  it.each([
    ['allkeys-lru', /allkeys-lru/],
    ['noeviction', /noeviction/],
  ])('warns of %s', async (policy, message) => {
    await server.cli('CONFIG', 'SET', 'maxmemory-policy', policy)
    try {
      const found = await diagnose([server.url])
      expect(found.at('warning')).toEqual(['eviction'])
      expect(found.of('eviction')[0]).toMatch(message)
      expect(found.code).toBe(0)
    } finally {
      await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru')
    }
  })

  it('warns where there is no limit of memory', async () => {
    await server.cli('CONFIG', 'SET', 'maxmemory', '0')
    try {
      expect((await diagnose([server.url])).of('eviction')[0]).toMatch(/^warning: maxmemory is not/)
    } finally {
      await server.cli('CONFIG', 'SET', 'maxmemory', '100mb')
    }
  })

  it('sees that writes wait for replicas that are not there', async () => {
    await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '1')
    try {
      const found = await diagnose([server.url])
      expect(found.at('problem')).toEqual(['min-replicas', 'writes'])
      expect(found.of('writes')[0]).toContain('NOREPLICAS')
    } finally {
      await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '0')
    }
  })

  it('warns of a small buffer for subscribers', async () => {
    const limit = await server.cli<string[]>('CONFIG', 'GET', 'client-output-buffer-limit')
    await server.cli('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64kb 32kb 10')
    try {
      expect((await diagnose([server.url])).at('warning')).toEqual(['output-buffer'])
    } finally {
      await server.cli('CONFIG', 'SET', 'client-output-buffer-limit', limit[1] as string)
    }
  })

  it('compares the round trip with the deadline', async () => {
    const proxy = await startProxy({ target: server })
    proxy.set({ kind: 'delay', ms: 30 })
    try {
      const args = [proxy.url, '--password', SECRET]
      const slow = await diagnose([...args, '--timeout', '50ms'])
      expect(slow.of('latency')[0]).toMatch(/^warning: round trip p50 [34]\d ms/)
      const hopeless = await diagnose([...args, '--timeout', '20ms'])
      expect(hopeless.of('latency')[0]).toMatch(/^problem: .* the deadline is 20 ms$/)
    } finally {
      await proxy.stop()
    }
  })

  it('gives up on a server that hangs, within a few seconds', async () => {
    const hanging = await startServer()
    hanging.stopSignal()
    const from = performance.now()
    try {
      const found = await diagnose([hanging.url])
      expect(found.of('connection')).toEqual(['problem: Redis does not answer (time-out)'])
      expect(performance.now() - from).toBeLessThan(6000)
    } finally {
      await hanging.stop()
    }
  })

  it('says what is wrong with an address', async () => {
    const gone = await startServer()
    await gone.stop()
    expect((await diagnose([gone.url])).of('connection')[0]).toContain('ECONNREFUSED')
    const unknown = await diagnose(['redis://nowhere.invalid'])
    expect(unknown.of('connection')[0]).toMatch(/name of Redis cannot be resolved/)
    expect(unknown.code).toBe(1)
  })

  it('sees a database that does not exist', async () => {
    const found = await diagnose([server.url, '--db', '99'])
    expect(found.at('problem')).toContain('database')
  })

  it('is read by people: aligned, in colour on a terminal only, without on demand', async () => {
    const plain = await runCli(['doctor', url, '--timeout', '1s'], {
      env: { REDIS_PASSWORD: SECRET },
    })
    expect(plain.out).toMatch(
      /^Redis at 127\.0\.0\.1:\d+ · keys rc:\* · deadline 1\.0 s\n\nServer /,
    )
    expect(plain.out).toMatch(/\n {2}ok {7}role {11}master\n/)
    expect(plain.out).toMatch(/\nno problems, no warnings, \d+ ok \(\d+ ms\)\n$/)
    expect(plain.out).not.toContain('\u001b')
    expect(plain.err).toBe('')
    const colour = await runCli(['doctor', url], { isTty: true })
    expect(colour.out).toContain('\u001b[31mproblem')
    expect(colour.err).toContain('… connecting to 127.0.0.1')
    const off = await runCli(['doctor', url], { isTty: true, env: { NO_COLOR: '1' } })
    expect(off.out).not.toContain('\u001b')
  })
})

describe('doctor on a replica', () => {
  it('says whose replica it is', async () => {
    const { master, replicas, stop } = await startReplicated({ requirepass: SECRET })
    try {
      const found = await diagnose([replicas[0]?.url as string])
      expect(found.of('role')).toEqual([`problem: It is a replica of 127.0.0.1:${master.port}`])
      expect(found.code).toBe(1)
      const good = await diagnose([master.url])
      expect(good.of('replication')[0]).toMatch(/^ok: 1 replica in sync/)
    } finally {
      await stop()
    }
  })
})
