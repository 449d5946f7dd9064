import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'
import { type NameAddress, NameLookup } from '../../../src/adapters/redis/ioredis/name-lookup.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { failure } from './fake-network.ts'

const address = (text: string): NameAddress => ({ address: text, family: 4 })

function setUp() {
  const clock = new FakeClock()
  const flights: PromiseWithResolvers<readonly NameAddress[]>[] = []
  const names = new NameLookup(clock, () => {
    const flight = Promise.withResolvers<readonly NameAddress[]>()
    flights.push(flight)
    return flight.promise
  })
  const start = async (name: string) => {
    const resolved = names.resolve(name)
    resolved.catch(() => {})
    await clock.advance(0)
    return resolved.then(([first]) => first?.address)
  }
  return { clock, names, flights, start: (name: string) => ({ result: start(name) }) }
}

describe('looking up names', () => {
  it('asks once for a name, however many wait', async () => {
    const { clock, flights, start } = setUp()
    const calls = Array.from({ length: 20 }, () => start('redis').result)
    await clock.advance(0)
    expect(flights).toHaveLength(1)
    flights[0]?.resolve([address('10.0.0.1')])
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['10.0.0.1']))
  })

  it('never occupies more than three threads', async () => {
    const { clock, flights, start } = setUp()
    const calls = ['a', 'b', 'c', 'd'].map((name) => start(name).result)
    await clock.advance(0)
    expect(flights).toHaveLength(3)
    flights[0]?.resolve([address('10.0.0.1')])
    await calls[0]
    await clock.advance(0)
    expect(flights).toHaveLength(4)
  })

  it('does not wait for a slow answer where it knows an earlier one', async () => {
    const { clock, flights, start } = setUp()
    const first = start('redis').result
    await clock.advance(0)
    flights[0]?.resolve([address('10.0.0.1')])
    await first
    await clock.advance(2000)
    const second = start('redis').result
    await clock.advance(50)
    expect(await second).toBe('10.0.0.1')
    flights[1]?.resolve([address('10.0.0.2')])
    await clock.advance(0)
    expect(await start('redis').result).toBe('10.0.0.2')
  })

  it('goes on with the last good answer when a look-up fails', async () => {
    const { clock, flights, start } = setUp()
    const first = start('redis').result
    await clock.advance(0)
    flights[0]?.resolve([address('10.0.0.1')])
    await first
    await clock.advance(2000)
    const second = start('redis').result
    await clock.advance(0)
    flights[1]?.reject(failure('ENOTFOUND'))
    expect(await second).toBe('10.0.0.1')
  })

  it('fails at once for a while after a failure, longer each time', async () => {
    const { clock, flights, start } = setUp()
    const pauses: number[] = []
    for (let failures = 1; failures <= 8; failures++) {
      const call = start('nowhere').result
      call.catch(() => {})
      await clock.advance(0)
      flights.at(-1)?.reject(failure('ENOTFOUND'))
      await expect(call).rejects.toThrow('ENOTFOUND')
      const from = clock.now()
      while (flights.length === failures) {
        const next = start('nowhere').result
        next.catch(() => {})
        await clock.advance(0)
        if (flights.length === failures) await clock.advance(50)
      }
      pauses.push(clock.now() - from)
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000])
  })

  it('takes an address as it is', async () => {
    const { names, flights } = setUp()
    expect(await names.resolve('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }])
    expect(await names.resolve('::1')).toEqual([{ address: '::1', family: 6 }])
    expect(flights).toEqual([])
  })

  it('answers a socket in the form it wants', async () => {
    const clock = new FakeClock()
    const both: NameAddress[] = [{ address: '::1', family: 6 }, address('127.0.0.1')]
    const names = new NameLookup(clock, async () => both)
    const ask = (options: { all?: boolean; family?: number }) =>
      new Promise<string | LookupAddress[]>((done, fail) =>
        names.forSocket('localhost', options, (error, found) =>
          error ? fail(error) : done(found),
        ),
      )
    expect(await ask({ all: true })).toEqual(both)
    expect(await ask({})).toBe('::1')
    expect(await ask({ family: 4 })).toBe('127.0.0.1')
  })
})
