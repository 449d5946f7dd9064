import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLlmKeyer } from '../../../src/llm/key/llm-keyer.ts'
import { options, request } from './arbitrary-request.ts'
import { chances, meaningOf, written } from './same-request.ts'

const keyOf = (given: unknown, more: object = { tenant: 'a' }) =>
  createLlmKeyer({ provider: 'anthropic', ...(more as { tenant: string }) })(given)

describe('for all requests and options', () => {
  it('two share a key if, and only if, everything about them is the same', () => {
    let same = 0
    const cases = fc.record({
      a: request,
      b: request,
      chance: chances,
      o: options,
      p: options,
      sameRequest: fc.boolean(),
      sameOptions: fc.boolean(),
    })
    fc.assert(
      fc.property(cases, ({ a, b, chance, o, p, sameRequest, sameOptions }) => {
        const other = sameRequest ? written(a, chance) : b
        const otherOptions = sameOptions ? o : p
        const isSame =
          isDeepStrictEqual(o, otherOptions) && isDeepStrictEqual(meaningOf(a), meaningOf(other))
        if (isSame) same++
        expect(keyOf(a, o).key === keyOf(other, otherOptions).key).toBe(isSame)
      }),
      { numRuns: 1500 },
    )
    // Otherwise only the easy half was tried.
    expect(same).toBeGreaterThan(100)
  })

  it('the same request has one key, however it is written', () => {
    fc.assert(
      fc.property(request, chances, (a, chance) => {
        const b = written(a, chance)
        expect(meaningOf(b)).toEqual(meaningOf(a))
        expect(keyOf(b)).toEqual(keyOf(a))
      }),
      { numRuns: 1000 },
    )
  })

  it('one change anywhere is another key, unless it means nothing', () => {
    fc.assert(
      fc.property(
        request,
        fc.nat(),
        fc.constantFrom<unknown>('a', 'c', 0, 2, null, {}, []),
        (a, at, value) => {
          const b = structuredClone(a)
          replaceLeaf(b, at, value)
          const isSame = isDeepStrictEqual(meaningOf(a), meaningOf(b))
          expect(keyOf(a).key === keyOf(b).key).toBe(isSame)
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('two tenants share neither key nor group nor the tag of the tenant', () => {
    const tenant = fc.oneof(
      fc.string({ minLength: 1, maxLength: 3 }),
      fc.constantFrom('shared', '\ud800', '\ud801', '\ufffd'),
      fc.constant({ shared: true as const }),
    )
    fc.assert(
      fc.property(request, tenant, tenant, (a, one, other) => {
        fc.pre(!isDeepStrictEqual(one, other))
        const [x, y] = [keyOf(a, { tenant: one }), keyOf(a, { tenant: other })]
        expect([x.key === y.key, x.group === y.group, x.tags[1] === y.tags[1]]).toEqual([
          false,
          false,
          false,
        ])
      }),
      { numRuns: 300 },
    )
  })

  it('two secrets share no key', () => {
    const secret = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
    )
    fc.assert(
      fc.property(request, secret, secret, (a, one, other) => {
        fc.pre(!Buffer.from(one).equals(Buffer.from(other as Uint8Array)))
        const [x, y] = [one, other].map((s) => keyOf(a, { tenant: 'a', secret: s }))
        expect(x?.key).not.toBe(y?.key)
      }),
      { numRuns: 300 },
    )
  })
})

/** Puts `value` in the place of one of the leaves, counted over all of them. */
function replaceLeaf(root: object, at: number, value: unknown): void {
  const leaves: [object, string][] = []
  const collect = (within: object): void => {
    for (const [name, member] of Object.entries(within)) {
      if (typeof member === 'object' && member !== null) collect(member)
      else leaves.push([within, name])
    }
  }
  collect(root)
  const [within, name] = leaves[at % leaves.length] ?? [root, 'model']
  Object.defineProperty(within, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}
