import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tenant } from '../../../src/llm/key/llm-key-options.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { request } from './anthropic-answers.ts'

const layer = promptCache({ provider: 'anthropic', tenant: 'acme' })
const keyOf = (...args: readonly unknown[]) => layer.keyOf(args).key

describe('the key of a call', () => {
  it('is made of the request and of every other argument', () => {
    const keys = [
      keyOf(request('a')),
      keyOf(request('b')),
      keyOf(request('a'), 'de'),
      keyOf(request('a'), 'en'),
      keyOf(request('a'), ['de']),
      keyOf(request('a'), 1),
      keyOf(request('a'), '1'),
      keyOf(request('a'), 1n),
      keyOf(request('a'), null),
      keyOf(request('a'), undefined, 'de'),
      keyOf(request('a'), {}),
      keyOf(request('a'), { x: undefined }),
      keyOf(request('a'), { x: 1, y: [undefined] }),
      keyOf(request('a'), { x: 1, y: new Array(1) }),
      keyOf(request('a'), new Date(0)),
      keyOf(request('a'), new Date(1)),
      keyOf(request('a'), Buffer.from('a')),
      keyOf(request('a'), new Uint8Array([97])),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(keyOf(request('a'), { x: 1, y: 2 })).toBe(keyOf(request('a'), { y: 2, x: 1 }))
  })

  it('does not count trailing undefined, nor how the request is sent', () => {
    const { signal } = new AbortController()
    const plain = keyOf(request('a'))
    expect(keyOf(request('a'), undefined, undefined)).toBe(plain)
    expect(keyOf(request('a'), signal)).toBe(plain)
    expect(keyOf(request('a'), { signal, timeout: 1000, maxRetries: 2, idempotencyKey: 'x' })).toBe(
      plain,
    )
    expect(keyOf(request('a'), { signal }, 'de')).toBe(keyOf(request('a'), undefined, 'de'))
    // Only the second one may be the options of an SDK.
    expect(keyOf(request('a'), 'de', { timeout: 1 })).not.toBe(keyOf(request('a'), 'de'))
  })

  it('counts the headers, which may change the answer', () => {
    const headers = { 'anthropic-beta': 'x' }
    const key = keyOf(request('a'), { headers, timeout: 1 })
    expect(key).not.toBe(keyOf(request('a')))
    expect(key).toBe(keyOf(request('a'), { headers, timeout: 2 }))
    const sdk = (list: Record<string, string>) =>
      keyOf(request('a'), { headers: new Headers(list) })
    expect(sdk({ a: '1', b: '2' })).toBe(sdk({ B: '2', A: '1' }))
    expect(sdk({ a: '1' })).not.toBe(sdk({ a: '2' }))
  })

  it('is refused for what cannot be told apart', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    class Session {}
    for (const odd of [() => {}, Symbol('s'), cycle, new Session(), { [Symbol('s')]: 1 }]) {
      expect(() => keyOf(request('a'), odd)).toThrow(
        expect.objectContaining({ code: 'ERR_UNCACHEABLE_KEY' }),
      )
    }
    expect(() => keyOf('hello')).toThrow(expect.objectContaining({ code: 'ERR_UNCACHEABLE_KEY' }))
    expect(() => keyOf(request('a'), new Session())).toThrow(
      'An argument after the request cannot be told apart by its contents; pass plain data',
    )
  })

  it('names the tenant that the arguments say', () => {
    const byUser = promptCache({
      provider: 'anthropic',
      tenant: (_request, user) => user as Tenant,
    })
    const acme = byUser.keyOf([request('a'), 'acme'])
    const other = byUser.keyOf([request('a'), 'other'])
    expect(acme.tags).not.toEqual(other.tags)
    expect(acme.tags).toEqual(layer.keyOf([request('a')]).tags)
    const shared = byUser.keyOf([request('a'), { shared: true }])
    expect(shared.tags[1]).not.toBe(acme.tags[1])
    for (const nobody of [undefined, '', { shared: false }, { shared: true, also: 1 }, 7]) {
      expect(() => byUser.keyOf([request('a'), nobody])).toThrow('promptCache() needs tenant')
    }
  })

  it('stays the same for a tenant that thousands of others have followed', () => {
    const byUser = promptCache({ provider: 'anthropic', tenant: (_, user) => user as string })
    const before = byUser.keyOf([request('a'), 'first'])
    for (let index = 0; index < 1200; index++) byUser.keyOf([request('a'), `user ${index}`])
    expect(byUser.keyOf([request('a'), 'first'])).toEqual(before)
  })

  it('is never that of another tenant, whatever the requests and options are', () => {
    const tenant = fc.oneof(
      fc.string(),
      fc.constantFrom<Tenant>('shared', 'acme', 'acme ', { shared: true }),
    )
    const options = fc.record(
      {
        endpoint: fc.string(),
        namespace: fc.string(),
        version: fc.oneof(fc.string(), fc.nat()),
        variants: fc.integer({ min: 1, max: 3 }),
        secret: fc.string({ minLength: 1 }),
        toolOrder: fc.constantFrom('sort' as const, 'preserve' as const),
      },
      { requiredKeys: [] },
    )
    const call = fc.tuple(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.array(fc.jsonValue(), { maxLength: 2 }),
    )
    const nameOf = (one: Tenant) => (typeof one === 'string' ? `t${one}` : 'shared')
    fc.assert(
      fc.property(
        tenant,
        tenant,
        options,
        options,
        call,
        fc.boolean(),
        (a, b, x, y, call, same) => {
          fc.pre(a !== '' && b !== '' && nameOf(a) !== nameOf(b))
          const [mine, others] = call
          const args = [{ ...request('a'), ...mine }, ...others]
          const keyFor = (one: Tenant, more: object) =>
            promptCache({ provider: 'anthropic', tenant: () => one, ...more }).keyOf(args).key
          expect(keyFor(a, x)).not.toBe(keyFor(b, same ? x : y))
        },
      ),
      { numRuns: 200 },
    )
  })
})
