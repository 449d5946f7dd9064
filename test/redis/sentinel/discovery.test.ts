import { describe, expect, it } from 'vitest'
import type { Candidate, ServerInfo } from '../../../src/adapters/redis/ioredis/discovery.ts'
import { SentinelDiscovery } from '../../../src/adapters/redis/ioredis/sentinel-discovery.ts'
import type { SentinelTarget } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { at, FakeNetwork, failure } from './fake-network.ts'
import { settingsOf, targetOf } from './settings.ts'

const A = at('a')
const B = at('b')
const GONE = failure('ECONNREFUSED')
const MASTER = { role: 'master', connected_slaves: '1' }
const REPLICA = { role: 'slave' }

function setUp(given: Partial<SentinelTarget> = {}, sentinels = 3) {
  const clock = new FakeClock()
  const network = new FakeNetwork(sentinels, { address: A })
  const target = targetOf(network.sentinels, given)
  const world = { clock, random: () => 0.5, timeoutMs: 50 }
  const discovery = new SentinelDiscovery(target, settingsOf(target), world, { network })
  const seen = { moves: 0, sources: [] as Candidate[], errors: [] as string[] }
  discovery.start({
    onMoved: () => seen.moves++,
    onSource: (candidate) => seen.sources.push(candidate),
    onError: (error) => seen.errors.push(error.message),
  })
  const connect = async (info: ServerInfo = MASTER) => {
    const candidate = await discovery.find()
    discovery.accepted(candidate, info)
    return candidate
  }
  const refuse = async (error: Error = GONE) => {
    const candidate = await discovery.find()
    discovery.refused(candidate, error)
    return candidate
  }
  return { clock, network, discovery, seen, connect, refuse }
}

describe('finding a server', () => {
  it('takes the master that the majority names', async () => {
    const { network, connect } = setUp()
    network.say({ address: B }, { address: A }, { address: A })
    expect(await connect()).toEqual({ ...A, source: 'sentinel' })
  })

  it('takes a single answer where there is no other, and says so once', async () => {
    const { network, connect, seen } = setUp()
    network.say({ address: A }, GONE, GONE)
    expect(await connect()).toMatchObject({ ...A, source: 'sentinel' })
    await connect()
    expect(seen.errors.filter((text) => text.startsWith('Only 1 of 3'))).toHaveLength(1)
  })

  it('goes on with the last known master, not for long, when no sentinel answers', async () => {
    const { network, connect } = setUp({ standalone: [B] })
    await connect()
    network.say(GONE)
    const candidate = await connect()
    expect(candidate).toMatchObject({ ...A, source: 'last-known', maxKeepMs: 60_000 })
    expect(candidate.readOnly).toBe(false)
  })

  it('tries the next candidate after each refusal, then begins anew', async () => {
    const { network, connect, refuse } = setUp({ standalone: [B, at('c')] })
    await connect()
    network.say(GONE)
    const tried = [await refuse(), await refuse(), await refuse()]
    expect(tried.map(({ host }) => host)).toEqual(['a', 'b', 'c'])
    expect(tried[1]).toMatchObject({ source: 'standalone', maxKeepMs: 60_000 })
    await expect(refuse()).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    expect(await refuse()).toMatchObject(A)
  })

  it('does not ask silent sentinels again before each candidate', async () => {
    const { network, connect, refuse } = setUp({ standalone: [B] })
    await connect()
    network.say(GONE)
    await refuse()
    const { asked } = network
    expect(await refuse()).toMatchObject(B)
    expect(network.asked).toBe(asked)
  })

  it('never takes the word of a minority after the master of the majority was refused', async () => {
    const { network, refuse } = setUp()
    network.say({ address: B }, { address: A }, { address: A })
    expect(await refuse()).toMatchObject(A)
    await expect(refuse()).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
  })

  it('forgets a last known master that has become a replica', async () => {
    const { discovery, network, connect } = setUp({ standalone: [B] })
    await connect()
    network.say(GONE)
    const last = await discovery.find()
    const error = discovery.check(last, REPLICA)
    expect(error).toMatchObject({ message: expect.stringMatching(/^READONLY a:6379 is a replica/) })
    discovery.refused(last, error as Error)
    expect(await discovery.find()).toMatchObject({ ...B, source: 'standalone' })
    discovery.refused(B as Candidate, GONE)
    await expect(discovery.find()).rejects.toThrow()
    expect(await discovery.find()).toMatchObject(B)
  })

  it.each([
    [{ role: 'master' }, true],
    [{}, true],
    [{ role: 'slave' }, false],
    [{ redis_mode: 'sentinel' }, false],
  ])('checks the role: %j', (info: ServerInfo, isFine) => {
    const { discovery } = setUp()
    expect(discovery.check({ ...A, source: 'sentinel' }, info) === undefined).toBe(isFine)
  })

  it('has nothing but Sentinel with fallback off', async () => {
    const { network, connect } = setUp({ fallback: 'off', standalone: [B] })
    await connect()
    network.say(GONE)
    await expect(connect()).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
  })

  it('only reads elsewhere with fallback read-only', async () => {
    const { network, connect, refuse } = setUp({ fallback: 'read-only', standalone: [B] })
    expect((await connect()).readOnly).toBeUndefined()
    network.say(GONE)
    expect(await refuse()).toMatchObject({ source: 'last-known', readOnly: true })
    expect(await refuse()).toMatchObject({ source: 'standalone', readOnly: true })
  })

  it('only reads from a last known master that has lost its replicas', async () => {
    const { network, connect, seen } = setUp()
    await connect({ role: 'master', connected_slaves: '2' })
    network.say(GONE)
    await connect({ role: 'master', connected_slaves: '1' })
    expect(seen.sources).toEqual([])
    await connect({ role: 'master', connected_slaves: '0' })
    expect(seen.sources).toMatchObject([{ ...A, source: 'last-known', readOnly: true }])
  })

  it('knows of replicas that came after the connection, from the sentinels', async () => {
    const { clock, network, connect, seen } = setUp()
    await connect({ role: 'master', connected_slaves: '0' })
    network.say({ address: A, replicas: 1 })
    await clock.advance('6s')
    network.say(GONE)
    await connect({ role: 'master', connected_slaves: '0' })
    expect(seen.sources).toMatchObject([{ readOnly: true }])
  })

  it('says why, each cause with its number and the remedy, when nothing is left', async () => {
    const { network, discovery } = setUp({ standalone: [B] })
    network.say(failure('ENOTFOUND'), failure('ENOTFOUND'), new Error('WRONGPASS invalid'))
    discovery.refused(await discovery.find(), failure('ECONNREFUSED'))
    await expect(discovery.find()).rejects.toThrow(
      'No usable Redis master (sentinels: ENOTFOUND (2), WRONGPASS; servers tried: ' +
        'ECONNREFUSED). Check the host names and the DNS of this machine.',
    )
  })

  it('names the option where no sentinel knows the master', async () => {
    const { network, discovery, seen } = setUp({ masterName: 'other' })
    network.say({})
    await expect(discovery.find()).rejects.toThrow("No sentinel knows a master named 'other'")
    await expect(discovery.find()).rejects.toThrow('set masterName')
    expect(seen.errors).toHaveLength(1)
  })
})

describe('watching', () => {
  it('moves once when the majority names another master', async () => {
    const { clock, network, connect, seen } = setUp()
    await connect()
    network.say({ address: B }, { address: A }, { address: A })
    await clock.advance('20s')
    expect(seen.moves).toBe(0)
    network.say({ address: B }, { address: B }, { address: A })
    await clock.advance('20s')
    expect(seen.moves).toBe(1)
    expect(await connect()).toMatchObject(B)
    network.say({ address: B })
    await clock.advance('20s')
    expect(seen.moves).toBe(1)
  })

  it('reports a sentinel that stays apart, once', async () => {
    const { clock, network, connect, seen } = setUp()
    await connect()
    network.say({ address: B }, { address: A }, { address: A })
    await clock.advance('6s')
    expect(seen.errors).toEqual([])
    await clock.advance('60s')
    expect(seen.errors).toEqual([expect.stringContaining('s1:26379 names another master')])
  })

  it('asks all when one announces, and moves when the majority follows, within 100 ms', async () => {
    const { clock, network, connect, seen } = setUp()
    await connect()
    network.announce('mymaster a 6379 b 6379')
    network.say({ address: B }, { address: A }, { address: A })
    await clock.advance(40)
    expect(seen.moves).toBe(0)
    network.say({ address: B }, { address: B }, { address: A })
    await clock.advance(60)
    expect(seen.moves).toBe(1)
    await connect()
    network.announce('mymaster a 6379 b 6379')
    await clock.advance('5s')
    expect(seen.moves).toBe(1)
  })

  it('does not believe an announcement alone', async () => {
    const { clock, network, connect, seen } = setUp()
    await connect()
    network.announce('mymaster a 6379 b 6379')
    await clock.advance('10s')
    expect(seen.moves).toBe(0)
  })

  it('ignores announcements about other masters', async () => {
    const { clock, network, connect } = setUp()
    await connect()
    const { asked } = network
    network.announce('another a 6379 b 6379')
    await clock.advance('1s')
    expect(network.asked).toBe(asked)
  })

  it('asks every 5 s while all is well, every second while it is not', async () => {
    const { clock, network, connect } = setUp()
    await connect()
    let { asked } = network
    await clock.advance('20s')
    expect(network.asked - asked).toBe(3 * 4)
    network.say(GONE)
    await connect()
    asked = network.asked
    await clock.advance('20s')
    expect(network.asked - asked).toBe(3 * 20)
  })

  it('keeps the connection when the sentinels return and name the same server', async () => {
    const { clock, network, connect, seen } = setUp()
    await connect()
    network.say(GONE)
    await connect()
    await clock.advance('5s')
    expect(seen.sources).toEqual([])
    network.say({ address: A })
    await clock.advance('2s')
    expect(seen).toMatchObject({ moves: 0, sources: [{ ...A, source: 'sentinel' }] })
    expect(seen.sources).toHaveLength(1)
  })

  it('moves when the sentinels return and name another server', async () => {
    const { clock, network, connect, seen } = setUp({ standalone: [B] })
    network.say(GONE)
    await connect()
    network.say({ address: A })
    await clock.advance('2s')
    expect(seen.moves).toBe(1)
    expect(await connect()).toMatchObject(A)
  })

  it('does not send the connection back to a master that it could not use until it can', async () => {
    const { clock, network, connect, refuse, seen } = setUp({ standalone: [B] })
    expect(await refuse()).toMatchObject(A)
    expect(await connect()).toMatchObject(B)
    await clock.advance('10s')
    expect(seen.moves).toBe(0)
    expect(network.probes).toBe(10)
    network.masters.add('a')
    await clock.advance('1s')
    expect(seen.moves).toBe(1)
    expect(await connect()).toMatchObject(A)
  })

  it('does not try wrong credentials every second', async () => {
    const { clock, network, connect, refuse } = setUp({ standalone: [B] })
    await refuse(new Error('WRONGPASS invalid username-password pair'))
    await connect()
    await clock.advance('9s')
    expect(network.probes).toBe(0)
    await clock.advance('2s')
    expect(network.probes).toBeGreaterThan(0)
  })

  it('wakes a connection that waits when there is a master again', async () => {
    const { clock, network, discovery, seen } = setUp()
    network.say(GONE)
    await expect(discovery.find()).rejects.toThrow()
    network.say({ address: A })
    await clock.advance('1s')
    expect(seen.moves).toBe(1)
    await clock.advance('10s')
    expect(seen.moves).toBe(1)
  })

  it('leaves alone a connection that is on its way to the right server', async () => {
    const { clock, discovery, seen } = setUp()
    await discovery.find()
    await clock.advance('10s')
    expect(seen.moves).toBe(0)
  })

  it('reports an unreachable sentinel once, and again after it was back', async () => {
    const { clock, network, connect, seen } = setUp()
    network.say({ address: A }, { address: A }, GONE)
    await connect()
    await clock.advance('30s')
    expect(seen.errors).toEqual([expect.stringContaining('s3:26379 cannot be used (ECONNREFUSED)')])
    network.say({ address: A })
    await clock.advance('6s')
    network.say({ address: A }, { address: A }, GONE)
    await clock.advance('6s')
    expect(seen.errors).toHaveLength(2)
  })

  it('is silent after stop and leaves no timer', async () => {
    const { clock, network, discovery, connect, seen } = setUp()
    await connect()
    discovery.stop()
    network.say({ address: B })
    await clock.advance('30s')
    expect(seen.moves).toBe(0)
    expect(clock.pending).toBe(0)
    await expect(discovery.find()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})
