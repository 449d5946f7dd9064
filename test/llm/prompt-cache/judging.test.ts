import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { judgeAnswer } from '../../../src/llm/verdict/judge-answer.ts'
import { answer, MODEL, request, testLoad } from './anthropic-answers.ts'

const acme = { provider: 'anthropic', tenant: 'acme' } as const

describe('what is stored of the answers', () => {
  it('is nothing that did not end well', async () => {
    const layer = promptCache(acme)
    const load = testLoad()
    await layer.call([request()], () => answer({ stop_reason: 'max_tokens' }), load)
    await layer.call([request()], () => answer({ stop_reason: 'refusal' }), load)
    expect(load.seen.skips).toBe(2)
    expect(load.seen.reports.map(({ skipped }) => skipped)).toEqual(['truncated', 'refusal'])
    expect(layer.stats().skipped).toEqual({ truncated: 1, refusal: 1 })
  })

  it('is a tool call of pure tools only', async () => {
    const tool = answer({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', id: 't', name: 'add', input: {} }],
    })
    const load = testLoad()
    await promptCache(acme).call([request()], () => tool, load)
    expect(load.seen.skips).toBe(1)
    await promptCache({ ...acme, pureTools: ['add'] }).call([request()], () => tool, load)
    expect(load.seen.skips).toBe(1)
  })

  it('is nothing that validate refuses, be it now or later', async () => {
    const asked: unknown[] = []
    const layer = promptCache({
      ...acme,
      async validate(value) {
        await Promise.resolve()
        asked.push(value)
        return (value as { id: string }).id === 'good'
      },
    })
    const load = testLoad()
    await layer.call([request()], () => answer({ id: 'good' }), load)
    expect(load.seen.skips).toBe(0)
    await layer.call([request()], () => answer({ id: 'bad' }), load)
    expect(load.seen.skips).toBe(1)
    expect(load.seen.reports[1]?.skipped).toBe('not-valid')
    // It is asked only of what would be stored.
    await layer.call([request()], () => answer({ stop_reason: 'max_tokens' }), load)
    expect(asked).toHaveLength(2)
    expect(layer.stats().errors).toBe(0)
  })

  it('is nothing that the schema refuses', async () => {
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          (value as { id: string }).id === 'good' ? { value } : { issues: [{ message: 'no' }] },
      },
    } as const
    const layer = promptCache({ ...acme, schema })
    const load = testLoad()
    await layer.call([request()], () => answer({ id: 'good' }), load)
    await layer.call([request()], () => answer({ id: 'bad' }), load)
    expect(load.seen.skips).toBe(1)
  })

  it('is nothing of a provider that is not known, until validate says so', async () => {
    const load = testLoad()
    const own = { provider: 'own', tenant: 'acme' }
    await promptCache(own).call([request()], () => answer(), load)
    expect(load.seen.reports[0]?.skipped).toBe('unknown-provider')
    await promptCache({ ...own, validate: () => true }).call([request()], () => answer(), load)
    expect(load.seen.reports[1]?.skipped).toBeUndefined()
    expect(load.seen.skips).toBe(1)
  })

  it('is nothing of another model than the one that was asked', async () => {
    const load = testLoad()
    const layer = promptCache(acme)
    await layer.call([request()], () => answer({ model: 'claude-haiku-4-5' }), load)
    expect(load.seen.reports[0]?.skipped).toBe('other-model')
    expect(load.seen.expired).toEqual([])
  })

  it('is what a deployment of Azure answers, whose name is no model', async () => {
    const load = testLoad()
    const layer = promptCache({ provider: 'openai', tenant: 'acme', planner: false })
    const chat = {
      object: 'chat.completion',
      model: 'gpt-5.5',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }],
      usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
    }
    await layer.call([{ model: 'our-deployment', messages: [] }], () => chat, load)
    expect(load.seen.reports[0]?.skipped).toBeUndefined()
    await layer.call([{ model: 'gpt-5.4-mini', messages: [] }], () => chat, load)
    expect(load.seen.reports[1]?.skipped).toBe('other-model')
  })

  it('is nothing of a request that is not cached', async () => {
    const load = testLoad()
    const layer = promptCache(acme)
    const search = request('news', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] })
    expect(layer.keyOf([search]).bypass).toBe('server-tool')
    await layer.call([search], () => answer(), load)
    expect(load.seen.skips).toBe(1)
    expect(load.seen.reports[0]?.skipped).toBe('server-tool')
    expect(layer.stats()).toMatchObject({ bypassed: { 'server-tool': 1 }, skipped: {} })
  })

  it('never is what no verdict lets through', async () => {
    const words = fc.constantFrom(
      ...['end_turn', 'stop_sequence', 'max_tokens', 'tool_use', 'pause_turn', 'refusal'],
      ...['model_context_window_exceeded', 'something_new', null, undefined],
    )
    const blocks = fc.constantFrom(
      { type: 'text', text: 'hi' },
      { type: 'text', text: '' },
      { type: 'thinking', thinking: 'hm' },
      { type: 'tool_use', id: 't', name: 'pure', input: {} },
      { type: 'tool_use', id: 't', name: 'other', input: {} },
      { type: 'brand_new' },
      null,
    )
    const answers = fc.oneof(
      fc.record({
        type: fc.constantFrom('message', 'error'),
        model: fc.constantFrom(MODEL, 'claude-haiku-4-5', undefined),
        stop_reason: words,
        content: fc.array(blocks, { maxLength: 3 }),
        usage: fc.constantFrom({ input_tokens: 1, output_tokens: 1 }, null),
      }),
      fc.jsonValue(),
      fc.anything(),
    )
    const isValid = fc.constantFrom(true, false, undefined)
    await fc.assert(
      fc.asyncProperty(answers, isValid, async (final, valid) => {
        const load = testLoad()
        const layer = promptCache({
          ...acme,
          pureTools: ['pure'],
          ...(valid === undefined ? {} : { validate: () => valid }),
        })
        await layer.call([request()], () => final, load)
        const verdict = judgeAnswer('anthropic', final, {
          pureTools: ['pure'],
          requestedModel: MODEL,
        })
        const isStored = load.seen.skips === 0
        expect(isStored).toBe(verdict.action === 'store' && valid !== false)
        expect(load.seen.reports[0]?.skipped === undefined).toBe(isStored)
        expect(layer.stats().errors).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})

describe('the name of a model that begins to mean another', () => {
  const dated = (date: string) => answer({ model: `${MODEL}-${date}` })

  it('makes the older answers under this name stale, once', async () => {
    const load = testLoad()
    const layer = promptCache(acme)
    await layer.call([request('a')], () => dated('20260101'), load)
    await layer.call([request('b')], () => dated('20260101'), load)
    expect(load.seen.expired).toEqual([])
    await layer.call([request('c')], () => dated('20260901'), load)
    await layer.call([request('d')], () => dated('20260901'), load)
    // A provider rolls a model out machine by machine: the old one may answer for a while.
    await layer.call([request('e')], () => dated('20260101'), load)
    const { tags } = layer.keyOf([request('a')])
    expect(load.seen.expired).toEqual([tags.slice(0, 1)])
    expect(tags[0]).toContain(MODEL)
    expect(load.seen.skips).toBe(0)
  })

  it('leaves them with onAliasChange: keep', async () => {
    const load = testLoad()
    const layer = promptCache({ ...acme, onAliasChange: 'keep' })
    await layer.call([request('a')], () => dated('20260101'), load)
    await layer.call([request('b')], () => dated('20260901'), load)
    expect(load.seen.expired).toEqual([])
  })

  it('is told by the answers to each name alone', async () => {
    const load = testLoad()
    const layer = promptCache(acme)
    const asked = (name: string) => request('a', { model: name })
    await layer.call([asked(MODEL)], () => dated('20260901'), load)
    await layer.call([asked(`${MODEL}-20260101`)], () => dated('20260101'), load)
    // It repeats the name, which says nothing about what it means.
    await layer.call([asked(MODEL)], () => answer(), load)
    expect(load.seen.expired).toEqual([])
  })
})
