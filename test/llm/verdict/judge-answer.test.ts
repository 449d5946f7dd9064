import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AnswerContext, judgeAnswer } from '../../../src/llm/verdict/judge-answer.ts'

/** The reason to skip, or `'store'`. */
function verdict(provider: string, final: unknown, context?: AnswerContext): string {
  const judged = judgeAnswer(provider, final, context)
  return judged.action === 'store' ? 'store' : judged.reason
}

const TEXT = { type: 'text', text: 'four' }
const message = (members: object) => ({
  type: 'message',
  model: 'claude-sonnet-5-20260101',
  stop_reason: 'end_turn',
  content: [TEXT],
  ...members,
})

describe('judgeAnswer of Anthropic', () => {
  const call = { type: 'tool_use', name: 'look_up', input: {} }
  it.each([
    ['an end of turn', {}, 'store'],
    ['a stop sequence', { stop_reason: 'stop_sequence' }, 'store'],
    ['max_tokens', { stop_reason: 'max_tokens' }, 'truncated'],
    ['a full context', { stop_reason: 'model_context_window_exceeded' }, 'truncated'],
    ['a refusal', { stop_reason: 'refusal' }, 'refusal'],
    ['details of a refusal', { stop_details: { type: 'refusal' } }, 'refusal'],
    ['a pause', { stop_reason: 'pause_turn' }, 'paused'],
    ['a reason nobody knows', { stop_reason: 'on_a_whim' }, 'unknown-reason'],
    ['no reason', { stop_reason: null }, 'unknown-reason'],
    ['a tool call', { stop_reason: 'tool_use', content: [TEXT, call] }, 'tool-use'],
    ['a tool call beside an end of turn', { content: [TEXT, call] }, 'tool-use'],
    ['a stop for a tool without a call', { stop_reason: 'tool_use' }, 'tool-use'],
    [
      'a server tool',
      { content: [{ type: 'server_tool_use', name: 'web_search' }, TEXT] },
      'tool-use',
    ],
    ['no content', { content: [] }, 'empty'],
    ['blank text', { content: [{ type: 'text', text: ' \n' }] }, 'empty'],
    ['thoughts only', { content: [{ type: 'thinking', thinking: 'hm' }] }, 'empty'],
    ['a block nobody knows', { content: [TEXT, { type: 'hologram' }] }, 'unknown-content'],
    ['a block that is none', { content: [TEXT, null] }, 'unknown-content'],
    ['a warm-up', { content: [], stop_reason: 'max_tokens' }, 'truncated'],
    ['an error', { type: 'error', error: {} }, 'error'],
  ])('of %s', (_what, members, expected) => {
    expect(verdict('anthropic', message(members))).toBe(expected)
  })

  it('keeps calls of pure tools, if all are', () => {
    const pureTools = ['look_up']
    const pure = message({ stop_reason: 'tool_use', content: [call] })
    expect(verdict('anthropic', pure, { pureTools })).toBe('store')
    const mixed = message({ stop_reason: 'tool_use', content: [call, { ...call, name: 'pay' }] })
    expect(verdict('anthropic', mixed, { pureTools })).toBe('tool-use')
  })
})

describe('judgeAnswer of OpenAI', () => {
  const chat = (choice: object) => ({
    object: 'chat.completion',
    model: 'gpt-5.6-sol',
    choices: [{ finish_reason: 'stop', message: { content: 'four', refusal: null }, ...choice }],
  })
  const calls = [{ type: 'function', function: { name: 'look_up', arguments: '{}' } }]

  it.each([
    ['a stop', {}, 'store'],
    ['a cut', { finish_reason: 'length' }, 'truncated'],
    ['a filter', { finish_reason: 'content_filter' }, 'filtered'],
    ['no reason', { finish_reason: null }, 'unknown-reason'],
    ['a reason nobody knows', { finish_reason: 'on_a_whim' }, 'unknown-reason'],
    ['a refusal', { message: { content: null, refusal: 'No.' } }, 'refusal'],
    ['nothing', { message: { content: null } }, 'empty'],
    ['no message', { message: undefined }, 'empty'],
    ['tool calls', { finish_reason: 'tool_calls', message: { tool_calls: calls } }, 'tool-use'],
    ['tool calls with a stop', { message: { content: 'four', tool_calls: calls } }, 'tool-use'],
    ['an old function call', { message: { function_call: { name: 'f' } } }, 'tool-use'],
  ])('in Chat Completions: %s', (_what, choice, expected) => {
    expect(verdict('openai', chat(choice))).toBe(expected)
  })

  it('judges every choice', () => {
    const { choices, ...rest } = chat({})
    const cut = { ...choices[0], finish_reason: 'length' }
    expect(verdict('openai', { ...rest, choices: [...choices, cut] })).toBe('truncated')
    expect(verdict('openai', { ...rest, choices: [] })).toBe('empty')
  })

  it('keeps calls of pure tools', () => {
    const answer = chat({ finish_reason: 'tool_calls', message: { tool_calls: calls } })
    expect(verdict('openai', answer, { pureTools: ['look_up'] })).toBe('store')
  })

  const said = {
    type: 'message',
    status: 'completed',
    content: [{ type: 'output_text', text: 'four' }],
  }
  const response = (members: object) => ({
    object: 'response',
    model: 'gpt-5.6-sol',
    status: 'completed',
    error: null,
    incomplete_details: null,
    output: [{ type: 'reasoning', summary: [] }, said],
    ...members,
  })

  it.each([
    ['a completed one', {}, 'store'],
    [
      'an incomplete one',
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      'truncated',
    ],
    [
      'a filtered one',
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
      'filtered',
    ],
    ['a failed one', { status: 'failed', error: { code: 'server_error' } }, 'error'],
    ['a running one', { status: 'in_progress' }, 'paused'],
    ['one without a status', { status: undefined }, 'unknown-reason'],
    [
      'a refusal',
      { output: [{ ...said, content: [{ type: 'refusal', refusal: 'No.' }] }] },
      'refusal',
    ],
    ['a function call', { output: [{ type: 'function_call', name: 'pay' }] }, 'tool-use'],
    ['a web search', { output: [{ type: 'web_search_call' }, said] }, 'tool-use'],
    ['an item nobody knows', { output: [said, { type: 'hologram' }] }, 'unknown-content'],
    ['an unfinished item', { output: [{ ...said, status: 'incomplete' }] }, 'truncated'],
    ['no output, as of a warm-up', { output: [] }, 'empty'],
  ])('in Responses: %s', (_what, members, expected) => {
    expect(verdict('openai', response(members))).toBe(expected)
  })

  it('keeps calls of pure tools in Responses', () => {
    const answer = response({ output: [{ type: 'function_call', name: 'look_up' }] })
    expect(verdict('openai', answer, { pureTools: ['look_up'] })).toBe('store')
  })
})

describe('judgeAnswer of Gemini', () => {
  const answer = (candidate: object, members: object = {}) => ({
    modelVersion: 'gemini-3.1-pro',
    candidates: [{ finishReason: 'STOP', content: { parts: [{ text: 'four' }] }, ...candidate }],
    ...members,
  })
  it.each([
    ['STOP', answer({}), 'store'],
    ['MAX_TOKENS', answer({ finishReason: 'MAX_TOKENS' }), 'truncated'],
    ['SAFETY', answer({ finishReason: 'SAFETY' }), 'filtered'],
    ['a reason nobody knows', answer({ finishReason: 'OTHER' }), 'unknown-reason'],
    ['a blocked prompt', answer({}, { promptFeedback: { blockReason: 'SAFETY' } }), 'filtered'],
    ['no candidates', { candidates: [] }, 'empty'],
    ['an interaction', { status: 'completed', outputs: [] }, 'unknown-reason'],
    ['thoughts only', answer({ content: { parts: [{ text: 'hm', thought: true }] } }), 'empty'],
    [
      'a function call',
      answer({ content: { parts: [{ functionCall: { name: 'pay' } }] } }),
      'tool-use',
    ],
    ['a part nobody knows', answer({ content: { parts: [{ hologram: {} }] } }), 'unknown-content'],
  ])('of %s', (_what, final, expected) => {
    expect(verdict('gemini', final)).toBe(expected)
  })
})

describe('judgeAnswer of Bedrock', () => {
  const answer = (members: object, content: unknown[] = [{ text: 'four' }]) => ({
    stopReason: 'end_turn',
    output: { message: { role: 'assistant', content } },
    ...members,
  })
  it.each([
    ['an end of turn', answer({}), 'store'],
    ['max_tokens', answer({ stopReason: 'max_tokens' }), 'truncated'],
    ['a guardrail', answer({ stopReason: 'guardrail_intervened' }), 'filtered'],
    ['a reason nobody knows', answer({ stopReason: 'malformed_tool_use' }), 'unknown-reason'],
    ['a tool call', answer({ stopReason: 'tool_use' }, [{ toolUse: { name: 'pay' } }]), 'tool-use'],
    ['nothing', answer({}, []), 'empty'],
    ['thoughts only', answer({}, [{ reasoningContent: {} }]), 'empty'],
    ['a block nobody knows', answer({}, [{ hologram: {} }]), 'unknown-content'],
    ['InvokeModel', message({}), 'store'],
    ['InvokeModel that was cut', message({ stop_reason: 'max_tokens' }), 'truncated'],
  ])('of %s', (_what, final, expected) => {
    expect(verdict('bedrock', final)).toBe(expected)
  })
})

describe('judgeAnswer', () => {
  it('keeps no answer of another model under the name that was asked for', () => {
    const good = message({})
    const of = (requestedModel: string) => verdict('anthropic', good, { requestedModel })
    expect(of('claude-sonnet-5')).toBe('store')
    expect(of('claude-sonnet-5-latest')).toBe('store')
    expect(of('claude-sonnet-5-20260101')).toBe('store')
    expect(of('claude-sonnet-5-20250101')).toBe('other-model')
    expect(of('claude-opus-5-5')).toBe('other-model')
  })

  it('keeps nothing that the check of the caller has refused', () => {
    expect(verdict('anthropic', message({}), { validated: false })).toBe('not-valid')
    expect(verdict('mistral', 'answer', { validated: false })).toBe('not-valid')
  })

  it('does not take a check for an end', () => {
    const cut = message({ stop_reason: 'max_tokens' })
    expect(verdict('anthropic', cut, { validated: true })).toBe('truncated')
  })

  it('keeps answers of other providers only if the caller has checked them', () => {
    expect(verdict('mistral', { any: 'thing' })).toBe('unknown-provider')
    expect(verdict('mistral', { any: 'thing' }, { validated: true })).toBe('store')
    expect(verdict('mistral', 'text', { validated: true })).toBe('store')
    expect(verdict('mistral', new Error('no'), { validated: true })).toBe('error')
  })

  it.each([
    ['anthropic', undefined],
    ['openai', 'text'],
    ['gemini', null],
    ['anthropic', new Error('no')],
    [
      'openai',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no')
          },
        },
      ),
    ],
  ])('takes what is no answer of %s for an error', (provider, final) => {
    expect(verdict(provider, final)).toBe('error')
  })

  it('never throws, and keeps nothing without a good end', () => {
    const members = fc.dictionary(
      fc.constantFrom(
        'content',
        'choices',
        'output',
        'candidates',
        'status',
        'stopReason',
        'type',
        'message',
      ),
      fc.jsonValue({ maxDepth: 3 }),
    )
    fc.assert(
      fc.property(
        fc.constantFrom('anthropic', 'openai', 'gemini', 'bedrock'),
        fc.oneof(fc.jsonValue(), members),
        (provider, final) => verdict(provider, final) !== 'store',
      ),
      { numRuns: 1000 },
    )
  })
})
