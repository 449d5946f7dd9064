import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProxy } from '../servers/proxy.ts'
import { type Replicated, startReplicated } from '../servers/replicated.ts'
import { type Sentinels, startSentinels } from '../servers/sentinels.ts'
import { startServer } from '../servers/server.ts'
import { diagnose, SECRET, WRONG_SECRET } from './run-cli.ts'

describe('doctor with sentinels', () => {
  let group: Replicated
  let watch: Sentinels
  let list: string

  beforeAll(async () => {
    group = await startReplicated({ replicas: 1, requirepass: SECRET })
    watch = await startSentinels(group.master)
    list = watch.addresses.map(({ host, port }) => `${host}:${port}`).join(',')
  })
  afterAll(async () => {
    await watch.stop()
    await group.stop()
  })

  const by = (addresses: string, ...args: string[]) =>
    diagnose(['--sentinels', addresses, '--master-name', watch.name, '--password', SECRET, ...args])

  it('finds them of one mind, the master good and the replica reachable', async () => {
    const found = await by(list)
    expect(found.at('problem')).toEqual([])
    expect(found.code).toBe(0)
    expect(found.of('agreement')).toEqual([
      `ok: 3 sentinels of one mind: 127.0.0.1:${group.master.port}`,
    ])
    for (const check of ['quorum', 'number', 'role', 'scripts', 'bus', 'replica']) {
      expect(found.at('ok')).toContain(check)
    }
  })

  it('names the master that they do know', async () => {
    const found = await diagnose(['--sentinels', list, '--master-name', 'mymastr'])
    expect(found.of('sentinel')[0]).toContain('knows no master called mymastr')
    expect(found.findings[0]?.fix).toContain('--master-name mymaster')
    expect(found.code).toBe(1)
  })

  it('says that none can be reached', async () => {
    const found = await by('127.0.0.1:1,127.0.0.1:2')
    expect(found.of('sentinels')).toEqual(['problem: None of the 2 sentinels can be asked'])
    expect(found.of('sentinel')[0]).toContain('ECONNREFUSED')
    expect(found.code).toBe(1)
  })

  it('only warns of one that is gone, and of those that are not listed', async () => {
    const [first] = list.split(',')
    const found = await by(`${first},127.0.0.1:1`)
    expect(found.at('problem')).toEqual([])
    expect(found.of('sentinel')).toContainEqual(expect.stringMatching(/^warning: 127\.0\.0\.1:1: /))
    expect(found.of('number')[0]).toMatch(/^warning: There are 3 sentinels, of which 2/)
  })

  it('tells a server from a sentinel', async () => {
    const found = await by(`127.0.0.1:${group.master.port}`, '--sentinel-password', SECRET)
    expect(found.of('sentinel')[0]).toContain('is not a sentinel')
    const reverse = await diagnose([`redis://${list.split(',')[0]}`])
    expect(reverse.of('role')[0]).toMatch(/^problem: It is a sentinel/)
  })

  it('reports a password that the master refuses, whatever the sentinels say', async () => {
    const found = await diagnose([
      '--sentinels',
      list,
      '--master-name',
      watch.name,
      '--password',
      WRONG_SECRET,
    ])
    expect(found.of('login')).toEqual(['problem: Redis refused the credentials (WRONGPASS)'])
    expect(found.of('agreement')[0]).toMatch(/^ok/)
  })

  it('looks at standalone servers too', async () => {
    const found = await by(list, '--standalone', `127.0.0.1:${group.master.port},127.0.0.1:1`)
    expect(found.of('connection')).toContain('ok: the same server as the master')
    expect(found.at('problem')).toEqual(['connection'])
  })

  it('explains an announced master that cannot be reached', async () => {
    const master = await startServer({ requirepass: SECRET })
    const proxy = await startProxy({ target: master })
    const sentinels = await startSentinels(
      { port: proxy.port, password: SECRET },
      { count: 1, quorum: 1, replicas: 0, downAfterMs: 60_000 },
    )
    await proxy.refuse()
    proxy.reset()
    try {
      const found = await by(`127.0.0.1:${sentinels.addresses[0]?.port}`)
      expect(found.of('connection')[0]).toContain('The sentinels name this address')
      expect(found.findings.find(({ check }) => check === 'connection')?.fix).toContain('NAT')
      expect(found.of('number')[0]).toMatch(/^warning: There is one sentinel/)
      expect(found.code).toBe(1)
    } finally {
      await sentinels.stop()
      await proxy.stop()
      await master.stop()
    }
  })

  it('sees that no failover would be possible', async () => {
    for (const sentinel of watch.sentinels.slice(1)) await sentinel.kill()
    try {
      await expect
        .poll(async () => (await by(list)).of('quorum')[0], { timeout: 10_000, interval: 100 })
        .toMatch(/^problem: .*cannot bring about a failover/)
    } finally {
      for (const sentinel of watch.sentinels.slice(1)) await sentinel.restart()
    }
  })
})
