import { beforeEach, describe, expect, it, vi } from 'vitest'
import { memory } from '../../src/stores/memory-store.ts'

type Module = typeof import('../../src/index.ts')
let lib: Module

beforeEach(async () => {
  // The default cache is the module's: each test gets a module of its own.
  vi.resetModules()
  lib = await import('../../src/index.ts')
})

function configured(options: Parameters<Module['configureCache']>[0] = {}) {
  const observeCache = vi.fn()
  lib.configureCache({ ttl: '1m', metrics: { observeCache }, ...options })
  return observeCache
}

describe('the default cache', () => {
  it('is not made by wrapping, decorating or disposing', () => {
    const observeCache = configured()
    const wrapped = lib.cached(async (id: number) => id)
    lib.cached({ ttl: '1m' })(async (id: number) => id)
    wrapped.dispose()
    expect(observeCache).not.toHaveBeenCalled()
  })

  it.each([
    ['a call', (fn: ReturnType<typeof wrapped>) => fn(1)],
    ['peek', (fn: ReturnType<typeof wrapped>) => fn.peek(1)],
    ['stats', (fn: ReturnType<typeof wrapped>) => fn.stats()],
    ['key', (fn: ReturnType<typeof wrapped>) => fn.key(1)],
    ['set', (fn: ReturnType<typeof wrapped>) => fn.set([1], 2)],
    ['invalidate', (fn: ReturnType<typeof wrapped>) => fn.invalidate(1)],
    ['many', (fn: ReturnType<typeof wrapped>) => fn.many([[1]])],
  ])('is made by %s, once', async (_, use) => {
    const observeCache = configured()
    const fn = wrapped()
    await use(fn)
    await use(fn)
    await lib.cached(async (id: number) => id)(1)
    expect(observeCache).toHaveBeenCalledExactlyOnceWith(lib.defaultCache())
  })

  it('takes its options from configureCache, also for what was wrapped before', async () => {
    const fn = lib.cached(async (id: number) => id, { name: 'p' })
    lib.configureCache({ name: 'late', ttl: '1m', l2: memory() })
    expect(fn.key(1)).toBe('late:p::~1')
  })

  it('cannot be configured after its first use', async () => {
    const fn = wrapped()
    await fn(1)
    expect(() => lib.configureCache({ ttl: '2m' })).toThrow(
      expect.objectContaining({
        code: 'ERR_ALREADY_CONFIGURED',
        retryable: false,
        message: expect.stringContaining('before configureCache()'),
      }),
    )
  })

  it('can be configured after a use that failed for want of a configuration', async () => {
    const fn = lib.cached(async (id: number) => id)
    await expect(fn(1)).rejects.toThrow(/ttl is missing/)
    // It was used all the same: the error says so rather than leaving half of the functions behind.
    expect(() => lib.configureCache({ ttl: '1m' })).toThrow(/used before/)
  })

  it('refuses wrong options where they are given, parts of them too', () => {
    expect(() => lib.configureCache({ tll: '1m' } as never)).toThrow(/did you mean 'ttl'/)
    expect(() => lib.configureCache({ l1: { maxEntries: 0 } })).toThrow(/l1.maxEntries/)
    expect(() => lib.configureCache({ compression: { threshold: 0 } })).toThrow(/threshold/)
    expect(() => lib.configureCache({ ttl: '1m' })).not.toThrow()
  })

  it('has L1 only unless configured', async () => {
    const fn = lib.cached(async (id: number) => id, { ttl: '1m' })
    expect(await fn(1)).toBe(1)
    expect(lib.defaultCache().health()).toMatchObject({ status: 'ok', l2: { state: 'off' } })
  })
})

function wrapped() {
  return lib.cached(async (id: number) => id, { ttl: '1m', name: 'p' })
}
