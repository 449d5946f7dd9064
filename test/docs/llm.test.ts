import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { percent } from '../../bench/llm/results.ts'
import { readDocument } from '../../scripts/docs-programs.ts'
import { GUIDE, readFigures, withFigures } from '../../scripts/llm-figures.ts'
import * as llm from '../../src/llm.ts'

const source = (file: string) => readFileSync(`src/${file}`, 'utf8')
const guide = readDocument(GUIDE)

/** Words in inline code. */
function wordsIn(document: string): Set<string> {
  const codes = document.matchAll(/`([^`\n]+)`/g)
  return new Set([...codes].flatMap((match) => (match[1] as string).split(/[^\w-]+/)))
}

const words = wordsIn(guide)
const missing = (names: readonly string[]) => names.filter((name) => !words.has(name))

/** The texts of a union, such as codes. */
function textsOf(code: string, declaration: RegExp): string[] {
  const start = code.search(declaration)
  const [union = ''] = /(\s*\| '[\w-]+')+/.exec(code.slice(start)) ?? []
  return [...union.matchAll(/'([\w-]+)'/g)].map((match) => match[1] as string)
}

/** Names of the options of an interface. */
function optionsOf(code: string, declaration: string): string[] {
  const start = code.indexOf(`export interface ${declaration}`)
  const body = code.slice(start, code.indexOf('\n}', start))
  return [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map((match) => match[1] as string)
}

describe('the guide to LLM calls', () => {
  it('says of every warning what to do', () => {
    const codes = textsOf(source('llm/planner/plan.ts'), /readonly code:/)
    expect(codes.length).toBeGreaterThan(10)
    const rows = [...guide.matchAll(/^\| .* \| `([A-Z_]+)` \| .* \|$/gm)].map(([, code]) => code)
    expect(rows.toSorted()).toEqual(codes.toSorted())
  })

  it('names every reason not to store an answer, and not to cache a request', () => {
    const skipped = textsOf(source('llm/verdict/answer-findings.ts'), /type SkipReason/)
    const bypassed = textsOf(source('llm/key/llm-key-options.ts'), /type BypassReason/)
    expect([skipped.length > 5, bypassed.length > 5]).toEqual([true, true])
    expect(missing([...skipped, ...bypassed])).toEqual([])
  })

  it.each([
    ['PromptCacheOptions', 'llm/prompt-cache/prompt-cache-options.ts'],
    ['LlmKeyOptions', 'llm/key/llm-key-options.ts'],
    ['CachedStreamOptions', 'llm/stream/stream-options.ts'],
    ['PromptCacheMiddlewareOptions', 'llm/middleware/prompt-cache-middleware.ts'],
    ['PrefixPlannerOptions', 'llm/planner/plan.ts'],
    ['PrefixGateOptions', 'llm/gate/prefix-gate.ts'],
    ['FakeAnthropicOptions', 'testing/fake-anthropic/fake-anthropic.ts'],
    ['OpenaiCacheBehaviour', 'testing/fake-openai/cache-plan.ts'],
    ['LoopbackOptions', 'testing/loopback/loopback-provider.ts'],
  ])('names every option of %s', (declaration, file) => {
    const options = optionsOf(source(file), declaration)
    expect(options.length).toBeGreaterThan(2)
    // Headers of a call are known to the middleware only.
    expect(missing(options.filter((name) => name !== 'headers'))).toEqual([])
  })

  it('has the figures of the latest run, and so has the README', () => {
    // node scripts/llm-figures.ts
    const figures = readFigures()
    expect(withFigures(guide, figures)).toBe(guide)
    const documents = figures.workloads.find(({ workload }) => workload.endsWith('n = 1,000'))
    const { none = 1, bound = 0, strategies = [] } = documents ?? {}
    const costOf = (name: string) => strategies.find(({ strategy }) => strategy === name)?.cost ?? 0
    const saving = percent(1 - costOf('planner') / none)
    expect(readDocument('README.md')).toContain(
      `input costs ${saving} less than without\ncaching, of ${percent(1 - bound / none)} that are possible; with the provider's automatic marker it costs ${percent(costOf('automatic') / none - 1)} more`,
    )
  })
})

describe('the reference', () => {
  it('names everything that ./llm exports', () => {
    const known = wordsIn(readDocument('docs/reference.md'))
    expect(Object.keys(llm).filter((name) => !known.has(name))).toEqual([])
  })
})
