import { describe, expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { altered } from '../l2/altered-store.ts'
import {
  aWorld,
  codeOf,
  endWorldsAfterEach,
  Origin,
  settle,
  type Watched,
  watch,
} from './fixture.ts'
import { type Process, someProcesses, watched, withoutBus } from './processes.ts'

endWorldsAfterEach()

function called(processes: readonly Process[]): number {
  return processes.reduce((sum, { origin }) => sum + origin.count, 0)
}

async function failEverywhere(processes: readonly Process[], error: Error): Promise<void> {
  for (const { origin } of processes) while (origin.waiting.length > 0) await origin.fail(error)
}

describe.each([
  ['by messages', (store: Store) => store],
  ['without any message', withoutBus],
])('many processes that wait for one failing load, %s', (_, see) => {
  async function aBurst(options: Parameters<typeof someProcesses>[0] = {}, count = 10) {
    const { clock, start } = someProcesses(options)
    const processes = Array.from({ length: count }, () => start(see))
    return { clock, start: () => start(see), processes }
  }

  it('call the origin three times in all, and then share its error', async () => {
    const { clock, start, processes } = await aBurst()
    const calls = processes.map(({ get }) => watch(get('a')))
    await settle()
    const down = Object.assign(new TypeError('the database is down'), { code: 'E_DOWN' })
    for (let turn = 0; turn < 20; turn++) {
      await clock.advance('500ms')
      await failEverywhere(processes, down)
    }
    expect(called(processes)).toBe(3)
    expect(calls.map(({ state }) => state)).toEqual(calls.map(() => 'rejected'))
    const told = calls.filter(({ error }) => error !== down)
    expect(told).toHaveLength(7)
    for (const { error } of told) {
      expect(error).toBeInstanceOf(Error)
      expect(error).toMatchObject({
        name: 'TypeError',
        message: 'the database is down',
        code: 'E_DOWN',
        fromAnotherProcess: true,
      })
    }
    const late = start()
    late.origin.replyWith(() => 'up again')
    expect(await late.get('a')).toBe('up again')
  })

  it('do so however long each call takes to fail', async () => {
    const { clock, processes } = await aBurst({ hardTimeout: '10m' })
    const calls = processes.map(({ get }) => watch(get('a')))
    for (let turn = 0; turn < 10; turn++) {
      await clock.advance('20s')
      await failEverywhere(processes, new Error('down'))
    }
    expect(called(processes)).toBe(3)
    expect(calls.every(({ state }) => state === 'rejected')).toBe(true)
  })

  it('serve what is stale, as after a failure of their own', async () => {
    const { clock, processes } = await aBurst({ ttl: '1s', grace: '1h', softTimeout: '20s' }, 5)
    const [first] = processes as [Process]
    first.origin.replyWith(() => 'stale')
    await first.get('a')
    await settle()
    for (const { get } of processes) await get('a')
    first.origin.hold()
    await clock.advance('1s')
    const calls = processes.map(({ get }) => watch(get.detail('a')))
    for (let turn = 0; turn < 8; turn++) {
      await clock.advance('500ms')
      await failEverywhere(processes, new Error('down'))
    }
    expect(called(processes)).toBe(1 + 3)
    expect(calls.map(({ value }) => value?.outcome)).toEqual(calls.map(() => 'stale-error'))
    for (const { get } of processes) {
      expect(await get.detail('a'), 'it backs off').toMatchObject({ outcome: 'stale-error' })
    }
    expect(called(processes)).toBe(1 + 3)
  })

  it('take what one of them brings after two have failed', async () => {
    const { clock, processes } = await aBurst()
    const calls = processes.map(({ get }) => watch(get('a')))
    const whoLoads = () => processes.find(({ origin }) => origin.waiting.length > 0)?.origin
    for (let turn = 0; turn < 2; turn++) {
      await clock.advance('600ms')
      await whoLoads()?.fail(new Error('down'))
    }
    await clock.advance('600ms')
    await whoLoads()?.answer('value')
    await clock.advance('1s')
    expect(called(processes)).toBe(3)
    expect(calls.filter(({ value }) => value === 'value')).toHaveLength(8)
  })

  it('load side by side where the value may not be stored', async () => {
    const { clock, processes } = await aBurst({ cacheIf: () => false })
    const calls = processes.map(({ get }) => watch(get('a')))
    await clock.advance('200ms')
    expect(called(processes)).toBe(1)
    await processes.find(({ origin }) => origin.count > 0)?.origin.answer('not kept')
    await clock.advance('600ms')
    expect(called(processes), 'none waits for another').toBe(10)
    for (const { origin } of processes) while (origin.waiting.length > 0) await origin.answer('own')
    expect(calls.every(({ state }) => state === 'fulfilled')).toBe(true)
  })
})

describe('a load that stores nothing says why', () => {
  const large = 'x'.repeat(5000)

  async function endsOf(
    options: Parameters<typeof someProcesses>[0],
    act: (one: Process & { calls: Watched<string>[] }) => Promise<unknown>,
    see: (store: Store) => Store = (store) => store,
  ): Promise<string[]> {
    const { clock, start } = someProcesses(options)
    const { seen, store } = watched(see(memory()))
    const one = start(() => store)
    const call = watch(one.get('a'))
    await settle()
    await act({ ...one, calls: [call] })
    await clock.advance('100ms')
    expect(call.state).not.toBe('pending')
    return seen.ends
  }

  it.each([
    ['failed, where its origin failed', {}, ({ origin }) => origin.fail(new Error('down'))],
    ['unstored, by cacheIf', { cacheIf: () => false }, ({ origin }) => origin.answer('x')],
    ['unstored, with a ttl of 0', { ttl: 0 }, ({ origin }) => origin.answer('x')],
    [
      'unstored, where it cannot be serialized',
      {},
      ({ origin }) => origin.answer((() => 'function') as unknown as string),
    ],
    [
      'unused, where it was invalidated',
      {},
      ({ get, origin }) => get.invalidate('a').then(() => origin.answer('x')),
    ],
    [
      'unused, where it was invalidated by tag',
      {},
      ({ cache, origin }) => cache.invalidateTag('id:a').then(() => origin.answer('x')),
    ],
  ] satisfies [string, Parameters<typeof someProcesses>[0], (one: Process) => Promise<unknown>][])(
    '%s',
    async (name, options, act) => {
      expect(await endsOf(options, act)).toEqual([name.slice(0, name.indexOf(','))])
    },
  )

  it('unstored, where it is too large', async () => {
    const small = (store: Store): Store =>
      altered(store, () => ({ write: async () => ({ stored: false, reason: 'too-large' }) }))
    expect(await endsOf({}, ({ origin }) => origin.answer(large), small)).toEqual(['unstored'])
  })

  it('unused, where L2 refused it for another reason', async () => {
    const busy = (store: Store): Store =>
      altered(store, () => ({ write: async () => ({ stored: false, reason: 'tag-changed' }) }))
    expect(await endsOf({}, ({ origin }) => origin.answer('x'), busy)).toEqual(['unused'])
  })

  it('unstored, where it was told to skip', async () => {
    const world = aWorld()
    const { seen, store } = watched(memory())
    const get = world.cache({ l2: store }).cached(
      (context) => {
        context.skip()
        return 'x'
      },
      { name: 'fn', context: true },
    )
    await get()
    await settle()
    expect(seen.ends).toEqual(['unstored'])
  })

  it('failed, where it took too long; unused, where its origin was not called', async () => {
    const world = aWorld()
    const { seen, store } = watched(memory())
    const cache = world.cache({ l2: store, maxLoads: 1 })
    const origin = new Origin()
    const get = cache.cached(origin.load, { name: 'fn', hardTimeout: '1s' })
    const calls = [codeOf(get('a')), codeOf(get('b'))]
    await world.clock.advance('1s')
    expect(await Promise.all(calls)).toEqual(['ERR_TIMEOUT', 'ERR_TIMEOUT'])
    expect([origin.count, seen.ends]).toEqual([1, ['failed', 'unused']])
  })

  it('unused, where a guard did not let it through', async () => {
    const guard = () => Promise.reject(new Error('open'))
    expect(await endsOf({ guard }, async () => {})).toEqual(['unused'])
  })

  it('unused, where every caller has left', async () => {
    const { start } = someProcesses()
    const { seen, store } = watched(memory())
    const one = start(() => store)
    const controller = new AbortController()
    const call = codeOf(one.get.with({ signal: controller.signal })('a'))
    await settle()
    controller.abort()
    expect(await call).toBe('ERR_ABORTED')
    await settle()
    expect(seen.ends).toEqual(['unused'])
  })

  it('with no more of an error than others need', async () => {
    const { start } = someProcesses()
    const failures: unknown[] = []
    const telling = (store: Store): Store =>
      altered(store, (session) => ({
        release(key, token, end) {
          if (end?.kind === 'failed') failures.push(end.failure)
          return session.release(key, token, end)
        },
      }))
    const one = start(telling)
    const unreadable = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('no')
      },
    })
    const errors = [Object.assign(new Error('m'.repeat(5000)), { code: 7 }), 'text', unreadable]
    for (const error of errors) {
      one.origin.replyWith(() => Promise.reject(error))
      await one.get('a').catch(() => {})
      await settle()
    }
    expect(failures).toEqual([
      { name: 'Error', message: 'm'.repeat(300) },
      { name: 'Error', message: expect.any(String) },
      { name: 'Error', message: 'the origin failed' },
    ])
  })
})

describe('an L2 that takes no writes', () => {
  it('costs a missing key one read: its load goes without a lease', async () => {
    const { start } = someProcesses()
    const readOnly = (store: Store): Store =>
      altered(store, (session) => ({
        async read({ lease: _, ...request }) {
          return session.read(request)
        },
      }))
    const { seen, store } = watched(readOnly(memory()))
    const one = start(() => store)
    one.origin.replyWith(() => 'value')
    expect(await one.get('a')).toBe('value')
    await settle()
    expect(seen.reads).toBe(1)
    expect(await one.get.detail('a')).toMatchObject({ source: 'l1' })
  })
})
