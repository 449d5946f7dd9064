import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { lazy } from '../../src/concurrency/lazy.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { each, refusals } from '../misuse/refusals.ts'

function counted(clock: FakeClock, failures = 0) {
  let calls = 0
  const module = lazy(
    async () => {
      calls++
      const mine = calls
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 30))
      if (mine <= failures) throw new Error(`load ${mine} failed`)
      return { load: mine }
    },
    { name: 'pdf', clock },
  )
  return { module, calls: () => calls }
}

describe('lazy', () => {
  it('loads once for concurrent callers, and never again', async () => {
    const clock = new FakeClock()
    const { module, calls } = counted(clock)
    expect([calls(), module.peek(), module.stats()]).toEqual([
      0,
      undefined,
      { loads: 0, failures: 0, loadMs: undefined },
    ])
    const both = Promise.all([module.get(), module.get()])
    await clock.advance(30)
    const [first, second] = await both
    expect(first).toBe(second)
    expect(await module.get()).toBe(first)
    expect(module.peek()).toBe(first)
    expect(calls()).toBe(1)
    expect(module.stats()).toEqual({ loads: 1, failures: 0, loadMs: 30 })
  })

  it('tries again after a failure, which all who waited for it see', async () => {
    const clock = new FakeClock()
    const { module, calls } = counted(clock, 1)
    const both = Promise.allSettled([module.get(), module.get()])
    await clock.advance(30)
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(module.peek()).toBeUndefined()
    const again = module.get()
    await clock.advance(30)
    expect(await again).toEqual({ load: 2 })
    expect(calls()).toBe(2)
    expect(module.stats()).toEqual({ loads: 1, failures: 1, loadMs: 30 })
  })

  it('tries again after a function that throws at once', async () => {
    let calls = 0
    const module = lazy(() => {
      if (++calls === 1) throw new Error('not yet')
      return 'there'
    })
    await expect(module.get()).rejects.toThrow('not yet')
    expect(await module.get()).toBe('there')
  })

  it('knows a loaded undefined from nothing', async () => {
    let calls = 0
    const module = lazy(() => {
      calls++
    })
    await module.get()
    await module.get()
    expect([calls, module.stats().loads]).toEqual([1, 1])
  })

  it('gives up one wait by its signal, and leaves no listener on it', async () => {
    const clock = new FakeClock()
    const { module } = counted(clock)
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const patient = module.get({ signal })
    const hasty = module.get({ signal: AbortSignal.abort(new Error('client left')) })
    await expect(hasty).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: { message: 'client left' },
    })
    await clock.advance(30)
    expect(await patient).toEqual({ load: 1 })
    expect(listeners).toBe(0)
  })

  it('preloads without waiting, and keeps a failure for the next get', async () => {
    const clock = new FakeClock()
    const { module, calls } = counted(clock, 1)
    const errors: unknown[] = []
    module.on('error', ({ name, error }) => errors.push([name, String(error)]))
    module.preload()
    module.preload()
    await clock.advance(30)
    expect([calls(), errors]).toEqual([1, [['pdf', 'Error: load 1 failed']]])
    const loads: unknown[] = []
    module.on('load', (event) => loads.push(event))
    module.preload()
    await clock.advance(30)
    expect(module.peek()).toEqual({ load: 2 })
    expect(loads).toEqual([{ name: 'pdf', loadMs: 30 }])
  })

  it('preloads when idle, not while timers are late', async () => {
    const clock = new FakeClock()
    const { module, calls } = counted(clock)
    module.preload({ idle: true })
    expect(calls()).toBe(0)
    // Something else holds up the event loop: the timer fires at its instant, the clock reads later.
    const now = clock.now.bind(clock)
    let lateBy = 0
    clock.now = () => now() + lateBy
    lateBy = 50
    await clock.advance(19)
    lateBy = 100
    await clock.advance(2)
    expect(calls()).toBe(0)
    await clock.advance(20)
    expect(calls()).toBe(1)
    await clock.advance(30)
    expect(clock.pending).toBe(0)
  })

  it('preloads after 5 s in any case', async () => {
    const clock = new FakeClock()
    const { module, calls } = counted(clock)
    const now = clock.now.bind(clock)
    let lateBy = 0
    clock.now = () => now() + lateBy
    module.preload({ idle: true })
    // Each turn of the event loop takes 500 ms.
    for (let turn = 0; turn < 9; turn++) {
      lateBy += 480
      await clock.advance(20)
    }
    expect(calls()).toBe(0)
    lateBy += 480
    await clock.advance(20)
    expect(calls()).toBe(1)
  })

  it('does not wait for the idle moment of an earlier preload when asked to begin now', async () => {
    const { module, calls } = counted(new FakeClock())
    module.preload({ idle: true })
    module.preload()
    expect(calls()).toBe(1)
  })

  it('loads in the async context in which it was made, not in that of its first caller', async () => {
    const request = new AsyncLocalStorage<string>()
    const module = request.run('start', () => lazy(() => request.getStore()))
    expect(await request.run('request 1', () => module.get())).toBe('start')
  })

  it('refuses what it cannot use', async () => {
    expect(
      await refusals({
        ...each('load', [undefined, 'pdfkit', {}], (value) => lazy(value)),
        'a promise': () => lazy(Promise.resolve(1) as never),
        ...each('options', [null, 'x', { nme: 'a' }, { name: 5 }], (value) => lazy(() => 1, value)),
        ...each('preload', [{ idel: true }, { idle: 1 }], (value) => lazy(() => 1).preload(value)),
      }),
    ).toMatchInlineSnapshot(`
      "
      load: undefined
          lazy() takes a function such as () => import('x'), got undefined
      load: "pdfkit"
          lazy() takes a function such as () => import('x'), got text
      load: {}
          lazy() takes a function such as () => import('x'), got an object
      a promise
          lazy() takes a function such as () => import('x'), got an object
      options: null
          lazy() takes an options object, got null
      options: "x"
          lazy() takes an options object, got text
      options: {"nme":"a"}
          unknown option of lazy(): 'nme'; did you mean 'name'?
      options: {"name":5}
          name must be text, got a number
      preload: {"idel":true}
          unknown option of preload(): 'idel'; did you mean 'idle'?
      preload: {"idle":1}
          idle must be true or false, got 1
      "
    `)
  })
})
