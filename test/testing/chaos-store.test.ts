import { describe, expect, it } from 'vitest'
import type { StoreSession } from '../../src/contracts/store.ts'
import { memory } from '../../src/stores/memory-store.ts'
import { type ChaosOptions, type ChaosStore, chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const BYTES = Uint8Array.from({ length: 64 }, (_, at) => at)

function opened(options: ChaosOptions) {
  const clock = new FakeClock()
  const inner = memory()
  const chaos = chaosStore(inner, options)
  const context = { clock, random: () => 0.5, space: 's', onState: () => {} }
  return { clock, chaos, session: chaos.open(context), behind: inner.open(context) }
}

const write = (session: StoreSession, bytes = BYTES) =>
  session.write({ key: 'k', bytes, freshUntil: 1e9, keepUntil: 1e9 })
const read = (session: StoreSession) => session.read({ keys: ['none', 'k'], tags: [] })

/** Waits a while, and says how a promise stands. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  let state = 'waits'
  promise.then(
    () => {
      state = 'fulfilled'
    },
    () => {
      state = 'rejected'
    },
  )
  await new Promise((resolve) => setImmediate(resolve))
  return state
}

describe('chaosStore', () => {
  it('shows what the store shows', () => {
    const { source, coherence, supports, timeoutMs } = chaosStore(memory())
    expect({ source, coherence, supports, timeoutMs }).toEqual({
      source: 'memory',
      coherence: 'bus',
      supports: { leases: true, atomic: true },
      timeoutMs: 50,
    })
  })

  it('throws: rejects every operation but close, without effect', async () => {
    const { chaos, session, behind } = opened({ throws: 1 })
    const operations = [
      () => write(session),
      () => read(session),
      () => session.delete(['k']),
      () => session.stamp(['t'], 'hard'),
      () => session.renew('k', 'token', 1),
      () => session.release('k', 'token'),
      () => session.probe(),
    ]
    for (const operation of operations) await expect(operation()).rejects.toThrow('chosen to fail')
    const { sequence, records } = await read(behind)
    expect([sequence, records[1]]).toEqual([0, undefined])
    expect(chaos.counts).toMatchObject({ operations: 7, throws: 7 })
    await session.close()
  })

  it('hangs: never settles, without effect and without a timer', async () => {
    const { clock, chaos, session, behind } = opened({ hangs: 1 })
    const reply = write(session)
    await clock.advance('1h')
    expect(await stateOf(reply)).toBe('waits')
    expect((await read(behind)).records[1]).toBeUndefined()
    expect([chaos.counts.hangs, clock.pending]).toEqual([1, 0])
  })

  it('late: has its effect at once and settles after 3 times the deadline', async () => {
    const { clock, chaos, session, behind } = opened({ late: 1 })
    const reply = write(session)
    expect(await stateOf(reply)).toBe('waits')
    expect((await read(behind)).records[1]?.bytes).toEqual(BYTES)
    await clock.advance(149)
    expect(await stateOf(reply)).toBe('waits')
    await clock.advance(1)
    expect(await reply).toEqual({ stored: true, version: 1 })
    expect(chaos.counts.late).toBe(1)
  })

  it('late: a failure comes late too, and is nobody else’s', async () => {
    const { clock, session } = opened({ late: 1 })
    await session.close()
    const reply = session.probe()
    expect(await stateOf(reply)).toBe('waits')
    const failed = expect(reply).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await clock.advance(150)
    await failed
  })

  it('corrupts: changes one byte of a record or cuts it, and never what is stored', async () => {
    const { chaos, session, behind } = opened({ seed: 3, corrupts: 1 })
    await write(session)
    let [flipped, cut] = [0, 0]
    for (let round = 0; round < 100; round++) {
      const { records, sequence } = await read(session)
      const bytes = records[1]?.bytes as Uint8Array
      if (bytes.length < BYTES.length) cut++
      else if (bytes.filter((byte, at) => byte !== BYTES[at]).length === 1) flipped++
      expect([records[0], records[1]?.version, sequence]).toEqual([undefined, 1, 1])
    }
    expect(flipped + cut).toBe(100)
    expect(Math.min(flipped, cut)).toBeGreaterThan(25)
    expect((await read(behind)).records[1]?.bytes).toEqual(
      Uint8Array.from({ length: 64 }, (_, at) => at),
    )
    expect(chaos.counts).toMatchObject({ operations: 101, corrupts: 100 })
  })

  it('corrupts: an empty record too, and counts no read that found nothing', async () => {
    const { chaos, session } = opened({ corrupts: 1 })
    await session.read({ keys: ['none'], tags: [] })
    expect(chaos.counts.corrupts).toBe(0)
    await write(session, new Uint8Array(0))
    expect((await read(session)).records[1]?.bytes.length).toBe(1)
    expect(chaos.counts.corrupts).toBe(1)
  })

  it('delays every operation by the clock it was opened with', async () => {
    const { clock, session, behind } = opened({ delay: '20ms' })
    const reply = write(session)
    await clock.advance(19)
    expect(await stateOf(reply)).toBe('waits')
    expect((await read(behind)).records[1]).toBeUndefined()
    await clock.advance(1)
    expect(await reply).toEqual({ stored: true, version: 1 })
  })

  it('starts and ends an outage at run time, and leaves the rest as it was', async () => {
    const { chaos, session } = opened({ corrupts: 0.25 })
    chaos.set({ throws: 1 })
    expect(chaos.rates).toEqual({ throws: 1, hangs: 0, late: 0, corrupts: 0.25 })
    for (let n = 0; n < 20; n++) await expect(session.probe()).rejects.toThrow()
    chaos.set({ throws: 0 })
    await session.probe()
    expect(chaos.counts).toEqual({ operations: 21, throws: 20, hangs: 0, late: 0, corrupts: 0 })
  })

  it('keeps a running operation on the rates of its start', async () => {
    const { clock, chaos, session } = opened({ delay: 10 })
    const reply = session.probe()
    chaos.set({ throws: 1, delay: 0 })
    await clock.advance(10)
    expect(await reply).toBeUndefined()
  })

  it('does the same to the same operations for the same seed, by the rates', async () => {
    const rates = { throws: 0.2, hangs: 0.1, late: 0.1, corrupts: 0.3 }
    const faultsOf = async (seed: number): Promise<[string, ChaosStore['counts']]> => {
      const { clock, chaos, session } = opened({ seed, ...rates })
      const replies = Array.from({ length: 1000 }, (_, n) =>
        n % 3 ? read(session) : write(session),
      )
      const settled = replies.map(async (reply) => {
        const state = await stateOf(reply)
        const record = state === 'fulfilled' && 'records' in (await reply) && (await reply)
        return record ? `${JSON.stringify(record)}` : state
      })
      const states = await Promise.all(settled)
      await clock.advance('1s')
      return [states.join(), chaos.counts]
    }
    const [first, counts] = await faultsOf(11)
    expect((await faultsOf(11))[0]).toBe(first)
    expect((await faultsOf(12))[0]).not.toBe(first)
    expect(counts.operations).toBe(1000)
    expect(Math.abs(counts.throws - 200)).toBeLessThan(50)
    expect(Math.abs(counts.hangs - 100)).toBeLessThan(40)
    expect(Math.abs(counts.late - 100)).toBeLessThan(40)
  })

  it('passes states and messages through', async () => {
    const states: string[] = []
    const told: string[] = []
    const clock = new FakeClock()
    const inner = memory()
    const chaos = chaosStore(inner, { throws: 1 })
    chaos.open({
      clock,
      random: () => 0.5,
      space: 's',
      onState: ({ state }) => states.push(state),
      onMessage: ({ kind }) => told.push(kind),
    })
    const other = inner.open({ clock, random: () => 0.5, space: 's', onState: () => {} })
    await write(other)
    await clock.advance(0)
    expect([states, told]).toEqual([['ready'], ['write']])
  })

  it.each([
    [{ throw: 0.5 }, "did you mean 'throws'"],
    [{ throws: 1.5 }, 'throws of chaosStore() must be a number from 0 to 1'],
    [{ late: -0.1 }, 'late'],
    [{ corrupts: Number.NaN }, 'corrupts'],
    [{ hangs: '1' }, 'hangs'],
    [{ delay: 'soon' }, 'delay of chaosStore() must be a duration'],
    [{ seed: 'x' }, 'seed'],
    [null, 'options object'],
  ])('refuses %o', (options, message) => {
    const make = () => chaosStore(memory(), options as ChaosOptions)
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
  })

  it('refuses a wrong change, and does none of it', () => {
    const { chaos } = opened({ hangs: 0.5 })
    expect(() => chaos.set({ hangs: 0, throws: 2 })).toThrow('throws of chaos.set()')
    expect(() => chaos.set({ seed: 2 } as never)).toThrow("unknown option of chaos.set(): 'seed'")
    expect(chaos.rates.hangs).toBe(0.5)
  })
})
