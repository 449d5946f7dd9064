import { afterEach, describe, expect, it } from 'vitest'
import type { SentinelTarget } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'
import { runSource } from '../../kernel/run-source.ts'
import { freePort, releasePort } from '../servers/ports.ts'
import { until } from '../servers/until.ts'
import { Driver } from './driver.ts'
import { FakeSentinel, type Says } from './fake-sentinel.ts'
import { targetOf } from './settings.ts'

const MASTER = { host: '127.0.0.1', port: 1 }
const OTHER = { host: '127.0.0.1', port: 2 }
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function sentinelsThat(...says: Says[]): Promise<FakeSentinel[]> {
  const fakes = await Promise.all(says.map((each) => new FakeSentinel(each).listen()))
  for (const fake of fakes) ends.push(() => fake.close())
  return fakes
}

function drive(sentinels: SentinelTarget['sentinels'], given: Partial<SentinelTarget> = {}) {
  const driver = new Driver(targetOf(sentinels, given))
  ends.push(() => driver.discovery.stop())
  return driver
}

describe('sentinels that cannot be used', () => {
  it('fails fast with the cause when no name resolves', async () => {
    const driver = drive([1, 2, 3].map((n) => ({ host: `sentinel-${n}.invalid`, port: 26_379 })))
    const from = performance.now()
    await expect(driver.discovery.find()).rejects.toThrow(
      /^No usable Redis master \(sentinels: (ENOTFOUND|EAI_AGAIN) \(3\)\)\. Check the host names/,
    )
    expect(performance.now() - from).toBeLessThan(600)
    const again = performance.now()
    await expect(driver.discovery.find()).rejects.toThrow()
    expect(performance.now() - again).toBeLessThan(100)
  })

  it('fails fast when nobody listens', async () => {
    const port = await freePort()
    ends.push(() => releasePort(port))
    const driver = drive([{ host: '127.0.0.1', port }])
    await expect(driver.discovery.find()).rejects.toThrow(
      '(sentinels: ECONNREFUSED). Check that the servers run there.',
    )
  })

  it('is not delayed by one that accepts and says nothing', async () => {
    const driver = drive(await sentinelsThat('nothing', MASTER, MASTER))
    const from = performance.now()
    expect(await driver.discovery.find()).toMatchObject(MASTER)
    expect(performance.now() - from).toBeLessThan(200)
  })

  it('is not delayed by one that lies', async () => {
    const driver = drive(await sentinelsThat(OTHER, MASTER, MASTER))
    expect(await driver.discovery.find()).toMatchObject(MASTER)
  })

  it('leaves no socket open on hung sentinels', async () => {
    const fakes = await sentinelsThat('nothing', 'nothing', 'nothing')
    const driver = drive(fakes)
    await expect(driver.discovery.find()).rejects.toThrow('time-out (3)')
    driver.discovery.stop()
    await until('all sockets are closed', () => fakes.every(({ open }) => open === 0))
  })

  it('renews a subscription on which nothing is heard any more', async () => {
    const fakes = await sentinelsThat(MASTER)
    const [fake] = fakes as [FakeSentinel]
    const driver = drive(fakes)
    await until('it is subscribed', () => fake.open === 1)
    fake.says = 'nothing'
    const { oldest } = fake
    await until('it was dropped', () => oldest?.destroyed)
    fake.says = MASTER
    await until('the sentinel was asked', () => driver.moves.length > 0)
    await until('a subscription is there', () => fake.open === 1)
    driver.moves.length = 0
    fake.says = OTHER
    fake.publish('+switch-master', 'mymaster 127.0.0.1 1 127.0.0.1 2')
    const from = performance.now()
    await until('it was heard', () => driver.moves.length > 0)
    expect(performance.now() - from).toBeLessThan(200)
  })

  it('lets the process end, with and without stop, and prints nothing', async () => {
    const fakes = await sentinelsThat('nothing', MASTER, MASTER)
    const target = JSON.stringify(targetOf(fakes.map(({ host, port }) => ({ host, port }))))
    const program = (end: string) => `
      import { SentinelDiscovery } from 'src/adapters/redis/ioredis/sentinel-discovery.ts'
      import { realClock } from 'src/kernel/real-clock.ts'
      const target = ${target}
      const settings = { target, credentials: {} }
      const world = { clock: realClock, random: Math.random, timeoutMs: 50 }
      const discovery = new SentinelDiscovery(target, settings, world)
      discovery.start({ onMoved() {}, onSource() {}, onError() {} })
      await discovery.find()
      ${end}`
    for (const end of ['discovery.stop()', '']) {
      expect(await runSource(program(end))).toMatchObject({ code: 0, stdout: '', stderr: '' })
    }
  })
})
