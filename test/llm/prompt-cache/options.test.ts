import { describe, expect, it } from 'vitest'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'

describe('options of promptCache()', () => {
  it.each([
    [{ tenant: 'acme' }, 'promptCache() needs provider'],
    [{ provider: 'anthropic' }, 'promptCache() needs tenant'],
    [{ provider: 'anthropic', tenant: '' }, 'promptCache() needs tenant'],
    [{ provider: 'anthropic', tenant: 'a', validat: 1 }, "did you mean 'validate'?"],
    [{ provider: 'anthropic', tenant: 'a', validate: 'yes' }, 'validate must be a function'],
    [{ provider: 'anthropic', tenant: 'a', schema: {} }, 'schema must be a Standard Schema'],
    [
      { provider: 'anthropic', tenant: 'a', pureTools: 'add' },
      'pureTools must be an array of names',
    ],
    [{ provider: 'anthropic', tenant: 'a', onAliasChange: 'kep' }, "did you mean 'keep'?"],
    [{ provider: 'anthropic', tenant: 'a', planner: true }, 'planner must be false, an object'],
    [{ provider: 'anthropic', tenant: 'a', gate: 5 }, 'gate must be false, an object'],
    [{ provider: 'anthropic', tenant: 'a', gate: { maxwait: 1 } }, "did you mean 'maxWait'?"],
    [{ provider: 'anthropic', tenant: 'a', gate: { maxWait: 'x' } }, 'maxWait must be a duration'],
    [{ provider: 'anthropic', tenant: 'a', route: 7 }, 'route, if no text, must be a function'],
    [
      { provider: 'anthropic', tenant: 'a', prices: { sonnet: {} } },
      "a key must be 'provider/model'",
    ],
    [{ provider: 'anthropic', tenant: 'a', variants: 0 }, 'variants must be a whole number'],
    [{ provider: 'anthropic', tenant: 'a', urlSource: () => '' }, 'takes no function as urlSource'],
  ])('are refused where they are wrong: %j', (options, message) => {
    let error: unknown
    try {
      promptCache(options as never)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION' })
    expect((error as Error).message).toContain(message)
  })

  it('are an object', () => {
    expect(() => promptCache(undefined as never)).toThrow('promptCache() takes an options object')
  })
})
