import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findProfile } from '../../../src/llm/models/profiles.ts'
import { cachePlan } from '../../../src/testing/fake-openai/cache-plan.ts'
import { openaiCache } from '../../../src/testing/fake-openai/openai-cache.ts'

// An oracle that knows no hashes: it keeps all earlier prompts and compares them piece by piece.

/** One block of a prompt: a letter, so many tokens of it, and whether it is marked. */
interface Block {
  readonly letter: string
  readonly tokens: number
  readonly isMarked: boolean
}

const block = fc.record({
  letter: fc.constantFrom('a', 'b'),
  tokens: fc.constantFrom(1, 100, 128, 500, 1024),
  isMarked: fc.boolean(),
})
/** Prompts that begin alike, more or less far, with marks of their own. */
const prompts = fc
  .record({
    base: fc.array(block, { minLength: 4, maxLength: 7 }),
    calls: fc.array(
      fc.record({
        keep: fc.nat(7),
        marks: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
        tail: fc.array(block, { minLength: 1, maxLength: 2 }),
      }),
      { minLength: 3, maxLength: 8 },
    ),
  })
  .map(({ base, calls }) =>
    calls.map(({ keep, marks, tail }): readonly Block[] => [
      ...base.slice(0, keep).map((kept, at) => ({ ...kept, isMarked: marks[at] === true })),
      ...tail,
    ]),
  )

function requestOf(model: string, blocks: readonly Block[]) {
  const content = blocks.map(({ letter, tokens, isMarked }) => ({
    type: 'text',
    text: letter.repeat(tokens * 4),
    ...(isMarked && { prompt_cache_breakpoint: { mode: 'explicit' } }),
  }))
  return {
    model,
    prompt_cache_options: { mode: 'explicit' },
    messages: [{ role: 'user', content }],
  }
}

function billsOf(model: string, series: readonly (readonly Block[])[]) {
  const cache = openaiCache({})
  return series.map((blocks, at) => {
    const plan = cachePlan('chat', requestOf(model, blocks), findProfile('openai', model), {})
    const call = cache.begin(plan, '', at)
    call.commit(at)
    return call.bill
  })
}

/** Each token as its letter; blocks end at a bar, for two short blocks are not one long one. */
function tokensOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ letter, tokens }) =>
    Array.from({ length: tokens }, (_, at) => (at === 0 ? `|${letter}` : letter)),
  )
}

function sharedTokens(one: readonly Block[], other: readonly Block[]): number {
  const [a, b] = [tokensOf(one), tokensOf(other)]
  let shared = 0
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++
  return shared
}

const size = (blocks: readonly Block[]) => blocks.reduce((sum, { tokens }) => sum + tokens, 0)
const same = (one: readonly Block[], other: readonly Block[]) =>
  one.length === other.length && sharedTokens(one, other) === size(one) && size(one) === size(other)
const prefixesAtMarks = (blocks: readonly Block[]) =>
  blocks.flatMap(({ isMarked }, at) => (isMarked ? [blocks.slice(0, at + 1)] : []))

describe('the accounting of fakeOpenAI, against an oracle', () => {
  it('reads, up to 5.5, the longest shared prefix in whole steps', () => {
    let hits = 0
    fc.assert(
      fc.property(prompts, (series) => {
        const bills = billsOf('gpt-5.4', series)
        for (const [at, blocks] of series.entries()) {
          const shared = Math.max(0, ...series.slice(0, at).map((by) => sharedTokens(by, blocks)))
          const read = Math.floor(shared / 128) * 128
          const expected = read >= 1024 ? read : 0
          if (expected > 0) hits++
          expect(bills[at]).toEqual({
            read: expected,
            write30m: 0,
            write12h: 0,
            uncached: size(blocks) - expected,
            total: size(blocks),
          })
        }
      }),
      { numRuns: 150 },
    )
    expect(hits).toBeGreaterThan(20)
  })

  it('reads, from 5.6 on, the longest marked prefix that was written, and writes up to the last mark', () => {
    let hits = 0
    fc.assert(
      fc.property(prompts, (series) => {
        const bills = billsOf('gpt-5.6-sol', series)
        const written: (readonly Block[])[] = []
        for (const [at, blocks] of series.entries()) {
          const marked = prefixesAtMarks(blocks).filter((prefix) => size(prefix) >= 1024)
          const found = marked.filter((prefix) => written.some((by) => same(by, prefix)))
          const read = Math.max(0, ...found.map(size))
          const latest = prefixesAtMarks(blocks)
            .slice(-4)
            .filter((prefix) => size(prefix) >= 1024)
          const end = Math.max(read, ...latest.map(size))
          if (read > 0) hits++
          expect(bills[at]).toEqual({
            read,
            write30m: end - read,
            write12h: 0,
            uncached: size(blocks) - end,
            total: size(blocks),
          })
          written.push(...latest.filter((prefix) => size(prefix) > read))
        }
      }),
      { numRuns: 300 },
    )
    expect(hits).toBeGreaterThan(20)
  })
})
