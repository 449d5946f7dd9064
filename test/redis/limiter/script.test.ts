import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { SLICE_SCRIPT, SLICE_SHA } from '../../../src/policies/rate/slice-script.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { ScriptServer } from '../../policies/rate/script-server.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'

const KEYS = ['{s}:buckets', '{s}:members'] as const
const MS_PER_TOKEN = { requests: 1000, input: 100 }
/** The clocks of both sides are read one after the other: what each part of a reply may differ by. */
const SLACK_MS = 1000
const SLACK = [
  ...[0, SLACK_MS, SLACK_MS],
  ...Object.values(MS_PER_TOKEN).flatMap((ms) => [SLACK_MS / ms, SLACK_MS]),
]

const SEED = Date.now() % 1_000_000
const chance = seededRandom(SEED)
const random = (max: number) => Math.floor(chance() * max)

function someRates(): (string | number)[] {
  return Object.entries(MS_PER_TOKEN).flatMap(([name, ms]) => {
    const burst = 100_000 / ms
    const least = random(burst / 10)
    return [name, ms, burst, random(burst / 5) - burst / 20, least, least * 2, burst / 2, 0]
  })
}

describe('the script on a real server', () => {
  let server: RedisProcess
  let client: Redis
  beforeAll(async () => {
    server = await startServer()
    client = new Redis(server.port)
  })
  afterAll(async () => {
    client?.disconnect()
    await server?.stop()
  })

  const run = async (...args: (string | number)[]) => {
    const reply = (await client.eval(SLICE_SCRIPT, 2, ...KEYS, ...args)) as (string | number)[]
    return reply.map(Number)
  }

  it('is the one of the SHA-1 that is sent', async () => {
    expect(await client.script('LOAD', SLICE_SCRIPT)).toBe(SLICE_SHA)
  })

  it('answers as the one that the other tests are made with', async () => {
    await client.flushall()
    const clock = new FakeClock(performance.now())
    const model = new ScriptServer(clock)
    const modelClient = model.client()
    model.latencyMs = 0
    for (let step = 0; step < 60; step++) {
      const args = [`member-${random(3)}`, 60_000, step % 20 === 9 ? 5000 : 0, ...someRates()]
      if (step % 30 === 29) {
        await client.flushall()
        model.flush()
      }
      await clock.advance(Math.max(0, performance.now() - clock.now()))
      const expected = modelClient.eval('', 2, ...KEYS, ...args)
      await clock.advance(0)
      const [real, wanted] = [await run(...args), ((await expected) as string[]).map(Number)]
      const shown = `seed ${SEED}, step ${step}: ${args.join(' ')}: ${real} instead of ${wanted}`
      expect(real.length, shown).toBe(wanted.length)
      for (const [at, value] of real.entries()) {
        const difference = Math.abs(value - (wanted[at] as number))
        expect(difference, shown).toBeLessThanOrEqual(SLACK[at] as number)
      }
    }
  })

  it('gives small amounts in full', async () => {
    await client.flushall()
    // Member, its time, pause; field, ms per token, burst, charge, least, most, known, ms until full.
    const [, , , slice] = await run('a', 60_000, 0, 'usd', 60_000, 1, 0, 0.000123456, 0, 1, 0)
    expect(slice).toBe(0.000123456)
  })

  it('leaves no key that lives for ever', async () => {
    await client.flushall()
    await run('member', 60_000, 0, 'requests', 1000, 60, 30, 1, 2, 60, 0)
    const [buckets, members] = [await client.pttl(KEYS[0]), await client.pttl(KEYS[1])]
    expect(buckets).toBeGreaterThan(60_000)
    expect(buckets).toBeLessThan(100_000)
    expect(members).toBeGreaterThan(50_000)
    await run('member', 0, 0, 'requests', 1000, 60, 0, 0, 0, 60, 0)
    expect(await client.exists(KEYS[1])).toBe(0)
  })

  it('does not believe a bucket that a clock far ahead has filled', async () => {
    await client.flushall()
    await client.hset(KEYS[0], 'full:requests', String(Date.now() + 86_400_000))
    const reply = await run('member', 60_000, 0, 'requests', 10, 100, 0, 1, 1, 100, 0)
    expect(reply[2]).toBeLessThan(63_000)
  })
})
