import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Store, StoreSession } from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { mutatedMemory } from '../stores/mutated-memory.ts'
import type { MakeStore } from './cluster.ts'
import { operations, worlds } from './operations.ts'
import type { Schedule } from './simulate.ts'

type Simulate = (schedule: Schedule, makeStore?: MakeStore) => Promise<void>

/** More than any of these mutants survives by a factor of ten. */
const MOST_RUNS = 8000
const SEED = 20_261_124

/** How the property fails on a mutant; `undefined` if it does not. */
async function failure(
  simulate: Simulate,
  makeStore?: MakeStore,
  numRuns = MOST_RUNS,
): Promise<string | undefined> {
  const details = await fc.check(
    fc.asyncProperty(worlds, operations, fc.scheduler(), fc.nat(), (world, list, scheduler, seed) =>
      simulate({ world, operations: list, scheduler, seed }, makeStore),
    ),
    { seed: SEED, numRuns, endOnFailure: true },
  )
  return details.failed ? String((details.errorInstance as Error).message) : undefined
}

/** The memory store with sessions that are wrong in one place. */
function mutatedStore(change: (session: StoreSession) => Partial<StoreSession>): MakeStore {
  return () => {
    const store = memory()
    const open: Store['open'] = (context) => {
      const session = store.open(context)
      const wrong = change(session)
      return {
        read: wrong.read ?? ((request) => session.read(request)),
        write: wrong.write ?? ((request) => session.write(request)),
        delete: wrong.delete ?? ((keys) => session.delete(keys)),
        stamp: wrong.stamp ?? ((tags, mode) => session.stamp(tags, mode)),
        renew: (key, token, ms) => session.renew(key, token, ms),
        release: (key, token, end) => session.release(key, token, end),
        probe: () => session.probe(),
        close: () => session.close(),
      }
    }
    return { ...store, open }
  }
}

/** The simulation over a core in which one module is wrong. */
async function withMutant<M extends object>(
  path: string,
  change: (original: M) => Partial<M> | undefined,
): Promise<Simulate> {
  vi.resetModules()
  vi.doMock(path, async (importOriginal) => {
    const original = (await importOriginal()) as M
    return { ...original, ...change(original) }
  })
  return ((await import('./simulate.ts')) as { simulate: Simulate }).simulate
}

function override(target: object, name: string, descriptor: PropertyDescriptor): undefined {
  Object.defineProperty(target, name, { configurable: true, ...descriptor })
}

afterEach(() => {
  vi.doUnmock('../../src/read-path/flight.ts')
  vi.doUnmock('../../src/read-path/flight-answer.ts')
  vi.doUnmock('../../src/l1/stamps.ts')
  vi.doUnmock('../../src/l2/journal.ts')
  vi.doUnmock('../../src/read-path/freshness.ts')
  vi.resetModules()
})

describe('the property fails', { timeout: 120_000 }, () => {
  it('when a delete keeps the lease of who is loading', async () => {
    const { simulate } = await import('./simulate.ts')
    const makeStore = await mutatedMemory({
      file: 'memory-space.ts',
      from: 'this.#entries.delete(key)\n      this.#leases.delete(key)',
      to: 'this.#entries.delete(key)',
    })
    expect(await failure(simulate, makeStore as MakeStore)).toMatch(/^I1/)
  })

  it('when a load is stamped after its origin instead of before', async () => {
    const { simulate } = await import('./simulate.ts')
    const makeStore = mutatedStore((session) => ({
      async read(request) {
        const reply = await session.read(request)
        return { ...reply, sequence: reply.sequence + 5 }
      },
    }))
    expect(await failure(simulate, makeStore)).toMatch(/^I1/)
  })

  it('when a tag is invalidated here and not in the store', async () => {
    const { simulate } = await import('./simulate.ts')
    const makeStore = mutatedStore(() => ({ stamp: async () => ({ sequence: 0 }) }))
    expect(await failure(simulate, makeStore)).toMatch(/^I1/)
  })

  it('when no load is ever outdated', async () => {
    const simulate = await withMutant<typeof import('../../src/read-path/flight.ts')>(
      '../../src/read-path/flight.ts',
      ({ Flight }) => override(Flight.prototype, 'outdated', { get: () => false }),
    )
    expect(await failure(simulate)).toMatch(/^I1/)
  })

  it('when an invalidated key leaves its load alone', async () => {
    const simulate = await withMutant<typeof import('../../src/read-path/flight.ts')>(
      '../../src/read-path/flight.ts',
      ({ Flight }) => override(Flight.prototype, 'detach', { value() {} }),
    )
    expect(await failure(simulate)).toMatch(/^I[135]/)
  })

  it('when L1 forgets which tags were invalidated', async () => {
    const simulate = await withMutant<typeof import('../../src/l1/stamps.ts')>(
      '../../src/l1/stamps.ts',
      ({ Stamps }) => override(Stamps.prototype, 'newest', { value: () => 0 }),
    )
    expect(await failure(simulate)).toMatch(/^I1/)
  })

  it('when what L2 has not acknowledged is believed all the same', async () => {
    const simulate = await withMutant<typeof import('../../src/l2/journal.ts')>(
      '../../src/l2/journal.ts',
      ({ Journal }) => override(Journal.prototype, 'doubts', { value: () => undefined }),
    )
    expect(await failure(simulate)).toMatch(/^I1/)
  })

  it('when callers that join are not counted', async () => {
    const simulate = await withMutant<typeof import('../../src/read-path/flight-answer.ts')>(
      '../../src/read-path/flight-answer.ts',
      ({ FlightAnswer }) => {
        const { resolve } = FlightAnswer.prototype
        return override(FlightAnswer.prototype, 'resolve', {
          value(this: InstanceType<typeof FlightAnswer>, outcome: Parameters<typeof resolve>[0]) {
            this.callers = 0
            resolve.call(this, outcome)
          },
        })
      },
    )
    expect(await failure(simulate)).toMatch(/^I7/)
  })

  it('when a stale value outlives its grace', async () => {
    const simulate = await withMutant<typeof import('../../src/read-path/freshness.ts')>(
      '../../src/read-path/freshness.ts',
      ({ judge }) => ({
        judge: (entry, policy, stamps, now) =>
          judge(entry, { ...policy, graceMs: policy.graceMs * 3 }, stamps, now),
      }),
    )
    expect(await failure(simulate)).toMatch(/^I2/)
  })

  it('not for the way the mutants are made', async () => {
    const { simulate } = await import('./simulate.ts')
    expect(
      await failure(
        simulate,
        mutatedStore(() => ({})),
        MOST_RUNS / 10,
      ),
    ).toBeUndefined()
  })
})
