import { describe, expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { altered } from '../l2/altered-store.ts'
import { codeOf, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'
import { someProcesses, withoutBus } from './processes.ts'

endWorldsAfterEach()

/** A clock that can be made to jump, as it does for a process that was paused. */
class PausedClock extends FakeClock {
  #paused = 0

  override now(): number {
    return super.now() + this.#paused
  }

  override wall(): number {
    return super.wall() + this.#paused
  }

  pause(ms: number): void {
    this.#paused += ms
  }
}

describe('a lease that L2 was not told to free', () => {
  it('does not make a later load of its own process wait', async () => {
    const { clock, start } = someProcesses()
    let isDeaf = true
    const deaf = (store: Store): Store =>
      altered(store, (session) => ({
        release: (key, token, end) =>
          isDeaf ? new Promise(() => {}) : session.release(key, token, end),
      }))
    const one = start(deaf)
    const failing = codeOf(one.get('a'))
    await settle()
    await one.origin.fail(Object.assign(new Error('down'), { code: 'E_DOWN' }))
    expect(await failing).toBe('E_DOWN')
    await clock.advance('60ms')
    isDeaf = false
    const call = watch(one.get('a'))
    await clock.advance('10ms')
    expect(one.origin.count, 'it is called without waiting for the lease to run out').toBe(2)
    await one.origin.answer('value')
    expect(call.value).toBe('value')
    expect(await start().get('a'), 'under a lease of its own').toBe('value')
  })

  it('is not taken for one of another process', async () => {
    const { clock, start } = someProcesses()
    const [one, other] = [start(), start()]
    const failing = codeOf(one.get('a'))
    await settle()
    await one.origin.fail(new Error('down'))
    await failing
    void codeOf(other.get('a'))
    await settle()
    const waiting = watch(one.get('a'))
    await clock.advance('1s')
    expect([one.origin.count, other.origin.count]).toEqual([1, 1])
    await other.origin.answer('value')
    await clock.advance('1s')
    expect(waiting.value).toBe('value')
  })
})

describe('a load whose lease may be lost', () => {
  it('stores nothing where L2 was away for longer than a lease lasts', async () => {
    const { clock, start } = someProcesses()
    const [one, other] = [start(withoutBus), start(withoutBus)]
    const first = watch(one.get('a'))
    await settle()
    one.line.set({ throws: 1 })
    await clock.advance('6s')
    other.origin.replyWith(() => 'newer')
    expect(await other.get('a')).toBe('newer')
    await one.origin.answer('older')
    expect(first.value).toBe('older')
    expect(one.get.peek('a')).toBeUndefined()
    one.line.set({ throws: 0 })
    await clock.advance('3s')
    expect(await one.get('a')).toBe('newer')
  })

  it('stores nothing where its own process was paused for so long', async () => {
    const clock = new PausedClock(1_000_000)
    const { start } = someProcesses({}, withoutBus(memory()))
    const [one, other] = [start(undefined, { clock }), start(undefined, { clock })]
    const first = watch(one.get('a'))
    await settle()
    clock.pause(6000)
    other.origin.replyWith(() => 'newer')
    expect(await other.get('a')).toBe('newer')
    one.line.set({ hangs: 1 })
    await one.origin.answer('older')
    expect(first.value).toBe('older')
    expect(one.get.peek('a')).toBeUndefined()
    one.line.set({ hangs: 0 })
    const later = watch(one.get('a'))
    await clock.advance('1s')
    expect(later.value).toBe('newer')
    const closing = [one, other].map(({ cache }) => cache.close({ deadline: 0 }))
    await clock.advance('10s')
    await Promise.all(closing)
  })

  it('stores what L2 takes all the same: its renewals had arrived', async () => {
    const { clock, start } = someProcesses()
    const silent = (store: Store): Store =>
      altered(store, (session) => ({
        async renew(key, token, ms) {
          await session.renew(key, token, ms)
          return new Promise(() => {})
        },
      }))
    const one = start(silent)
    const first = watch(one.get('a'))
    await clock.advance('6s')
    await one.origin.answer('value')
    await settle()
    expect(first.value).toBe('value')
    expect(one.get.peek('a')).toBe('value')
  })

  it('stores nothing where the key was removed before L2 has said that it takes it', async () => {
    const { clock, start } = someProcesses()
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    const slow = (store: Store): Store =>
      altered(store, (session) => ({
        async renew(key, token, ms) {
          await session.renew(key, token, ms)
          return new Promise(() => {})
        },
        async write(request) {
          const reply = await session.write(request)
          await answered
          return reply
        },
      }))
    const one = start(slow)
    const first = watch(one.get('a'))
    await clock.advance('6s')
    await one.origin.answer('value')
    await settle()
    await one.get.invalidate('a')
    answer()
    await settle()
    expect(first.value).toBe('value')
    expect(one.get.peek('a')).toBeUndefined()
  })

  it('stores at once while its renewals are answered', async () => {
    const { clock, start } = someProcesses()
    const one = start()
    void codeOf(one.get('a'))
    await clock.advance('20s')
    one.line.set({ hangs: 1 })
    await one.origin.answer('value')
    expect(one.get.peek('a')).toBe('value')
  })
})

describe('a load that began before an invalidation of which no message came', () => {
  it.each(['invalidateTag', 'expireTag'] as const)(
    'is not joined any more soon after (%s)',
    async (act) => {
      const { clock, start } = someProcesses()
      const [one, other] = [start(withoutBus), start(withoutBus)]
      const early = watch(one.get('a'))
      await settle()
      await other.cache[act]('id:a')
      await clock.advance('1700ms')
      const late = watch(one.get('a'))
      await settle()
      expect(one.origin.count).toBe(2)
      await one.origin.answer('before')
      await one.origin.answer('after')
      expect([early.value, late.value]).toEqual(['before', 'after'])
      expect(await start().get('a')).toBe('after')
    },
  )

  it('is found out at once when messages are known to be lost', async () => {
    const { start } = someProcesses()
    let lose = (): void => {}
    const losing = (store: Store): Store => ({
      ...store,
      open(context) {
        lose = () => context.onMessage?.({ kind: 'lost' })
        const { onMessage: _, ...deaf } = context
        return store.open(deaf)
      },
    })
    const other = start()
    const one = start(losing)
    const early = watch(one.get('a'))
    await settle()
    await other.cache.invalidateTag('id:a')
    lose()
    await settle()
    const late = watch(one.get('a'))
    await settle()
    await one.origin.answer('before')
    await one.origin.answer('after')
    expect([early.value, late.value]).toEqual(['before', 'after'])
  })

  it('goes on to be joined where nothing was invalidated', async () => {
    const { clock, start } = someProcesses()
    const [one, other] = [start(withoutBus), start(withoutBus)]
    const early = watch(one.get('a'))
    await settle()
    await other.cache.invalidateTag('id:b')
    await clock.advance('10s')
    const late = watch(one.get('a'))
    await settle()
    expect(one.origin.count).toBe(1)
    await one.origin.answer('value')
    expect([early.value, late.value]).toEqual(['value', 'value'])
  })
})

describe('a load that waits for another process while its key is invalidated', () => {
  it('takes what was stored after that', async () => {
    const { clock, start } = someProcesses()
    const [one, other, third] = [start(withoutBus), start(withoutBus), start()]
    void codeOf(one.get('a'))
    await settle()
    const waiting = watch(other.get('a'))
    await settle()
    await other.get.invalidate('a')
    third.origin.replyWith(() => 'after')
    await third.get('a')
    await clock.advance('1s')
    expect(waiting.value).toBe('after')
    expect(other.origin.count).toBe(0)
  })

  it('does not take what L2 answered across that', async () => {
    const { clock, start } = someProcesses()
    let isLate = false
    const late = (store: Store): Store =>
      altered(store, (session) => ({
        async read(request) {
          const reply = await session.read(request)
          if (isLate) await new Promise<void>((resolve) => void clock.setTimeout(resolve, 20))
          return reply
        },
      }))
    const [one, other] = [start(withoutBus), start(late)]
    void codeOf(one.get('a'))
    await settle()
    const waiting = watch(other.get('a'))
    await settle()
    isLate = true
    await one.origin.answer('before')
    await clock.advance('1ms')
    void other.cache.invalidateTag('id:a')
    other.origin.replyWith(() => 'own')
    await clock.advance('1s')
    expect(waiting.value).toBe('own')
  })

  it('does not take what was stored before that', async () => {
    const { clock, start } = someProcesses()
    const [one, other] = [start(), start()]
    void codeOf(one.get('a'))
    await settle()
    const waiting = watch(other.get('a'))
    await settle()
    other.line.set({ hangs: 1 })
    await one.origin.answer('before')
    const told = other.get.invalidate('a')
    other.line.set({ hangs: 0 })
    other.origin.replyWith(() => 'own')
    await clock.advance('1s')
    await told
    expect(waiting.value).toBe('own')
  })
})

describe('an origin that never ends, with completeInBackground', () => {
  it('gives its key and its place back after ten times hardTimeout', async () => {
    const { clock, world } = someProcesses()
    const cache = world.cache({ maxLoads: 1 })
    const origin = new Origin()
    const get = cache.cached(origin.loadWithContext, {
      name: 'fn',
      context: true,
      hardTimeout: '5s',
      completeInBackground: true,
    })
    const first = codeOf(get('a'))
    await clock.advance('5s')
    expect(await first).toBe('ERR_TIMEOUT')
    await clock.advance('44s')
    expect(origin.calls[0]?.context?.signal.aborted).toBe(false)
    await clock.advance('1s')
    expect(origin.calls[0]?.context?.signal.aborted).toBe(true)
    const second = watch(get('a'))
    const elsewhere = watch(get('b'))
    await settle()
    expect(origin.count).toBe(2)
    origin.calls[1]?.answer('value')
    await settle()
    origin.calls[2]?.answer('another')
    await settle()
    expect([second.value, elsewhere.value]).toEqual(['value', 'another'])
    origin.calls[0]?.answer('much too late')
    await settle()
    expect(get.peek('a')).toBe('value')
  })

  it('has at least half a minute', async () => {
    const { clock, world } = someProcesses()
    const origin = new Origin()
    const get = world.cache().cached(origin.load, {
      name: 'fn',
      hardTimeout: '1s',
      completeInBackground: true,
    })
    const first = codeOf(get('a'))
    await clock.advance('29s')
    expect(await first).toBe('ERR_TIMEOUT')
    await origin.answer('slow')
    expect(get.peek('a')).toBe('slow')
  })
})
