import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { buildLibrary } from '../../bench/harness/build.ts'
// @ts-expect-error plain JavaScript, so that any harness can load it
import * as adapter from '../../bench/peer-adapter.mjs'

const origin = () => vi.fn(async (arg: unknown) => ({ arg }))

describe('the adapter for other harnesses', () => {
  beforeAll(async () => {
    vi.stubEnv('RESILIENT_CACHE_DIST', await buildLibrary())
    return () => vi.unstubAllEnvs()
  })

  it.each(adapter.variants as string[])(
    'calls the origin once for one argument: %s',
    async (variant) => {
      const load = origin()
      const handle = await adapter.setup({ variant, origin: load })
      expect(handle.peek('a')).toBeUndefined()
      expect(await handle.fn('a')).toEqual({ arg: 'a' })
      expect(await adapter.ops.hit(handle, 'a')).toEqual({ arg: 'a' })
      expect(adapter.ops.peek(handle, 'a')).toEqual({ arg: 'a' })
      expect(load).toHaveBeenCalledTimes(1)
      expect(adapter.ops.originCalls(handle)).toBe(1)
      await adapter.teardown(handle)
    },
  )

  it('takes equal objects for one argument', async () => {
    const load = origin()
    const handle = await adapter.setup({ argKind: 'object', origin: load })
    await adapter.ops.many(handle, [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ])
    expect(load).toHaveBeenCalledTimes(1)
    await adapter.ops.invalidate(handle, { a: 1, b: 2 })
    await handle.wrapped({ a: 1, b: 2 })
    expect(load).toHaveBeenCalledTimes(2)
    expect(adapter.ops.stats(handle).invalidations).toBe(1)
    await adapter.teardown(handle)
  })

  it('says what stands behind L1', async () => {
    const local = await adapter.setup({ origin: origin() })
    const layered = await adapter.setup({
      layers: ['L1', 'L2'],
      prefix: 'behind',
      origin: origin(),
    })
    expect(local.l2Kind).toBe('none')
    expect(layered.l2Kind).toBe('memory')
    await Promise.all([local, layered].map((handle) => adapter.teardown(handle)))
  })

  it('says what to do when there is no build', async () => {
    vi.stubEnv('RESILIENT_CACHE_DIST', fileURLToPath(new URL('./nowhere', import.meta.url)))
    await expect(adapter.setup({ origin: origin() })).rejects.toThrow(/npm run build/)
  })
})
