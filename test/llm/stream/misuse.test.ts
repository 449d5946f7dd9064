import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/facade/create-cache.ts'
import { promptCacheMiddleware } from '../../../src/llm/middleware/prompt-cache-middleware.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'

async function* items() {
  yield 1
}

function refusal(options: unknown): string {
  try {
    cachedStream(items as never, options as never)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION' })
    return (error as Error).message
  }
  return 'nothing'
}

describe('wrong options', () => {
  it.each([
    [{ tll: '1h' }, "unknown option of cachedStream(): 'tll'; did you mean 'ttl'?"],
    [undefined, 'cachedStream() takes an options object, got undefined'],
    [{ ttl: '1 hour' }, 'ttl must be a duration'],
    [{ pacing: 'orignal' }, "pacing has no such choice: 'orignal'; did you mean 'original'?"],
    [{ pacing: { sped: 2 } }, "unknown option of pacing: 'sped'; did you mean 'speed'?"],
    [{ pacing: { speed: 0 } }, 'pacing.speed must be a number from 0.001 to Infinity, got 0'],
    [{ onAbandon: 'stop' }, 'onAbandon has no such choice'],
    [{ onAbandon: {} }, 'onAbandon.finishIf must be a function, got undefined'],
    [{ maxBytes: 'much' }, 'maxBytes must be a size'],
    [{ maxItems: 0 }, 'maxItems must be a whole number ≥ 1, got 0'],
    [{ accept: true }, 'accept must be a function, got true'],
    [{ cache: {} }, 'cache must be what createCache() gives, got an object'],
    [{ llm: {} }, 'llm must be promptCache({ provider, tenant }), got an object'],
    [{ llm: {}, key: () => 1 }, 'key and llm do not go together'],
    [{ version: {} }, 'version must be text or a number, got an object'],
    [{ codec: { id: 'x' } }, 'codec must be { id, encode, decode }'],
  ])('%o: %s', (options, message) => {
    expect(refusal(options)).toContain(message)
  })

  it('a function that is none', () => {
    expect(() => cachedStream(5 as never, { ttl: 1 })).toThrow(
      'cachedStream(fn, options) takes a function, got a number',
    )
  })

  it('a wrong signal, a missing ttl', async () => {
    const cache = createCache()
    const ask = cachedStream(items, { cache, name: 'without' })
    expect(() => ask.with({ signal: 5 as never })).toThrow('signal must be an AbortSignal')
    await expect(ask().next()).rejects.toThrow("ttl is missing for 'without'")
    await cache.close()
  })

  it('of the middleware', () => {
    expect(() => promptCacheMiddleware({ ttl: '1h' } as never)).toThrow('tenant')
    expect(() => promptCacheMiddleware({ tenant: 'a', ttl: 'soon' as never })).toThrow(
      'ttl must be a duration',
    )
    expect(() => promptCacheMiddleware(undefined as never)).toThrow(
      'promptCacheMiddleware() takes an options object, got undefined',
    )
  })
})

describe('arguments that make no key', () => {
  it('reject with the first item', async () => {
    const cache = createCache()
    const ask = cachedStream((_f: unknown) => items(), { cache, name: 'functions', ttl: '1h' })
    await expect(ask(() => 1).next()).rejects.toMatchObject({ code: 'ERR_UNCACHEABLE_KEY' })
    await cache.close()
  })
})
