import { describe, expect, it } from 'vitest'
import { LineageTrail } from '../../../src/adapters/redis/ioredis/lineage.ts'
import { ReconnectDelay } from '../../../src/adapters/redis/ioredis/reconnect-delay.ts'
import {
  asUnavailable,
  ConnectionFault,
  isWrongNode,
  kindOfFailure,
} from '../../../src/adapters/redis/ioredis/redis-errors.ts'
import { parseInfo } from '../../../src/adapters/redis/ioredis/server-info.ts'
import { SilenceWatch } from '../../../src/adapters/redis/ioredis/silence-watch.ts'
import { FakeClock } from '../../../src/testing.ts'

const failure = (code: string): Error => Object.assign(new Error('secret-host says no'), { code })
const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })

describe('the pause before the next attempt', () => {
  const pauses = (kind: 'passing' | 'name' | 'setting', random: number, count = 6): number[] => {
    const delay = new ReconnectDelay(() => random)
    return Array.from({ length: count }, () => delay.after(kind, 0))
  }

  it('grows to 80 ms and is never below 25 ms while a server refuses', () => {
    expect(pauses('passing', 1)).toEqual([50, 80, 80, 80, 80, 80])
    expect(pauses('passing', 0)).toEqual([30, 48, 48, 48, 48, 48])
  })

  it('grows to a second where a name does not resolve', () => {
    expect(pauses('name', 1).at(-1)).toBe(1000)
  })

  it('is 5 to 15 s where somebody has to change a setting', () => {
    expect(pauses('setting', 0)[0]).toBe(5000)
    expect(pauses('setting', 1).at(-1)).toBe(15_000)
  })

  it('keeps two attempts 25 ms apart even where there is no reason to wait', () => {
    const delay = new ReconnectDelay(() => 0)
    delay.attempted(100)
    expect(delay.soon(110)).toBe(15)
    expect(delay.soon(200)).toBe(0)
  })

  it('begins anew only after a connection that lasted', () => {
    const delay = new ReconnectDelay(() => 1)
    delay.after('passing', 0)
    delay.after('passing', 0)
    delay.lived(20)
    expect(delay.after('passing', 0)).toBe(80)
    delay.lived(2000)
    expect(delay.after('passing', 0)).toBe(50)
  })
})

describe('whether a server has the history of the one before', () => {
  const info = (replid: string, more: Record<string, string> = {}) => ({
    master_replid: replid,
    master_replid2: '0'.repeat(40),
    ...more,
  })

  it('is the same after a cut, and another after a restart', () => {
    const trail = new LineageTrail()
    expect(trail.arrive('a', info('1'), 0)).toBe('first')
    trail.lost(10)
    expect(trail.arrive('a', info('1'), 20)).toBe('same')
    trail.lost(30)
    expect(trail.arrive('a', info('2'), 40)).toBe('other')
  })

  it('is the same where its replica was promoted, and another on the way back', () => {
    const trail = new LineageTrail()
    trail.arrive('a', info('1'), 0)
    trail.lost(1000)
    const promoted = info('2', { master_replid2: '1', uptime_in_seconds: '60' })
    expect(trail.arrive('b', promoted, 3000)).toBe('same')
    trail.lost(4000)
    expect(trail.arrive('a', info('1'), 5000)).toBe('other')
  })

  it('is another where the master itself was restarted from an old snapshot', () => {
    const trail = new LineageTrail()
    trail.arrive('a', info('1'), 0)
    trail.lost(1000)
    // Redis 7 keeps the id of the snapshot as that of a predecessor.
    const restarted = info('2', { master_replid2: '1', uptime_in_seconds: '0' })
    expect(trail.arrive('a', restarted, 1100)).toBe('other')
  })

  it('goes by the address where a server does not say', () => {
    const trail = new LineageTrail()
    trail.arrive('a', {}, 0)
    expect(trail.arrive('a', {}, 0)).toBe('same')
    expect(trail.arrive('b', {}, 0)).toBe('other')
  })
})

describe('what a failure is called', () => {
  it.each<[Error, string, RegExp]>([
    [failure('ECONNREFUSED'), 'passing', /ECONNREFUSED.*check that it runs/],
    [failure('ECONNRESET'), 'passing', /cut \(ECONNRESET\)/],
    [failure('ETIMEDOUT'), 'passing', /time-out/],
    [failure('ENOTFOUND'), 'name', /resolved \(ENOTFOUND\)/],
    [failure('CERT_HAS_EXPIRED'), 'setting', /expired \(CERT_HAS_EXPIRED\)/],
    [failure('ERR_TLS_CERT_ALTNAME_INVALID'), 'setting', /another name/],
    [failure('DEPTH_ZERO_SELF_SIGNED_CERT'), 'setting', /not trusted.*tls\.ca/],
    [failure('EPROTO'), 'setting', /TLS handshake/],
    [reply('WRONGPASS invalid username-password pair'), 'setting', /WRONGPASS.*check username/],
    [reply('NOAUTH Authentication required.'), 'setting', /NOAUTH/],
    [reply("NOPERM this user has no permissions to run the 'get' command"), 'setting', /NOPERM/],
    [reply('LOADING Redis is loading the dataset'), 'passing', /LOADING/],
    [reply('ERR max number of clients reached'), 'passing', /maxclients/],
    [reply('READONLY You can not write'), 'wrong-node', /replica/],
    [new ConnectionFault('setting', 'What to do.'), 'setting', /What to do/],
    [new Error('Command timed out'), 'passing', /time-out/],
    [new Error('Unknown RESP type 63 "?"'), 'passing', /not Redis/],
  ])('%s', (error, kind, message) => {
    expect(kindOfFailure(error)).toBe(kind)
    const told = asUnavailable(error)
    expect(told.code).toBe('ERR_L2_UNAVAILABLE')
    expect(told.message).toMatch(message)
    expect(told.message).not.toContain('secret-host')
    expect(told.cause).toBe(error)
    expect(asUnavailable(told)).toBe(told)
    expect(kindOfFailure(told)).toBe(kind)
  })

  it.each([
    'READONLY You can not write against a read only replica.',
    'MASTERDOWN Link with MASTER is down',
    'ERR Error running script (call to f_1): @user_script:3: -READONLY You can not write',
  ])('means the wrong server: %s', (message) => {
    expect(isWrongNode(reply(message))).toBe(true)
  })

  it.each(['LOADING', 'BUSY', 'MISCONF', 'OOM', 'NOREPLICAS'])(
    'means the right server that cannot serve: %s',
    (word) => {
      expect(isWrongNode(reply(`${word} some text`))).toBe(false)
    },
  )
})

describe('silence of a server', () => {
  function watch(wire = { bytesRead: 0, writableLength: 0 }) {
    const clock = new FakeClock()
    const state = { wire, silent: 0 }
    const silence = new SilenceWatch(
      clock,
      150,
      () => state.wire,
      () => state.silent++,
    )
    return { clock, state, silence }
  }

  it('is told after the limit, where a reply is owed', async () => {
    const { clock, state, silence } = watch()
    silence.expect()
    await clock.advance(149)
    expect(state.silent).toBe(0)
    await clock.advance(1)
    expect(state.silent).toBe(1)
  })

  it('is none where nothing is owed, or something comes', async () => {
    const { clock, state, silence } = watch()
    silence.expect()
    silence.done()
    await clock.advance(1000)
    expect(state.silent).toBe(0)
    expect(clock.pending).toBe(0)
    silence.expect()
    await clock.advance(100)
    state.wire = { bytesRead: 1, writableLength: 0 }
    await clock.advance(100)
    expect(state.silent).toBe(0)
    await clock.advance(150)
    expect(state.silent).toBe(1)
  })

  it('is waited for longer while much is still to be sent', async () => {
    const { clock, state, silence } = watch({ bytesRead: 0, writableLength: 8_000_000 })
    silence.expect()
    await clock.advance(900)
    expect(state.silent).toBe(0)
    await clock.advance(100)
    expect(state.silent).toBe(1)
  })

  it('is not told after the end', async () => {
    const { clock, state, silence } = watch()
    silence.expect()
    silence.stop()
    await clock.advance(1000)
    expect(state.silent).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

it('INFO is read whatever stands in it', () => {
  expect(parseInfo('# Server\r\nrun_id:abc\r\nexecutable:/x:y\r\n\r\nempty:\r\n')).toEqual({
    run_id: 'abc',
    executable: '/x:y',
    empty: '',
  })
})
