import type Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { FIVE_MINUTES, textBlock } from './prompts.ts'
import { provider } from './provider.ts'

type Params = Anthropic.Messages.MessageCreateParamsNonStreaming

const TOOL: Anthropic.Tool = { name: 't', input_schema: { type: 'object' } }

const BASE: Params = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  tools: [TOOL],
  system: [textBlock(2000, 's', FIVE_MINUTES)],
  messages: [{ role: 'user', content: [textBlock(500, 'u', FIVE_MINUTES)] }],
}

const TOOL_TOKENS = Math.ceil(JSON.stringify(TOOL).length / 4)

/** What the second of two calls is told about its prompt cache. */
async function diagnosisOf(change: Partial<Params>, key = 'one') {
  const { client, clientOf } = await provider()
  const first = await client.messages.create({
    ...BASE,
    diagnostics: { previous_message_id: null },
  })
  expect(first.diagnostics).toBeNull()
  const second = await clientOf(key).messages.create({
    ...BASE,
    diagnostics: { previous_message_id: first.id },
    ...change,
  })
  return second.diagnostics
}

describe('diagnostics', () => {
  it.each<[string, Partial<Params>, string, number]>([
    ['another model', { model: 'claude-sonnet-4-6' }, 'model_changed', TOOL_TOKENS + 2500],
    ['another speed', { speed: 'fast' }, 'model_changed', TOOL_TOKENS + 2500],
    ['other tools', { tools: [TOOL, { ...TOOL, name: 'u' }] }, 'tools_changed', TOOL_TOKENS + 2500],
    ['another system', { system: 'Be brief.' }, 'system_changed', TOOL_TOKENS + 2500],
    ['another message', { messages: [{ role: 'user', content: 'Hi' }] }, 'messages_changed', 500],
  ])('%s is told, with what was not read', async (_, change, type, missed) => {
    expect(await diagnosisOf(change)).toEqual({
      cache_miss_reason: { type, cache_missed_input_tokens: missed },
    })
  })

  it('cannot say which of the other settings has changed', async () => {
    const unavailable = { cache_miss_reason: { type: 'unavailable' } }
    expect(await diagnosisOf({ tool_choice: { type: 'none' } })).toEqual(unavailable)
    expect(await diagnosisOf({ thinking: { type: 'adaptive' } })).toEqual(unavailable)
  })

  it('knows nothing of a message that it has not seen, or that is of another workspace', async () => {
    const notFound = { cache_miss_reason: { type: 'previous_message_not_found' } }
    expect(await diagnosisOf({ diagnostics: { previous_message_id: 'msg_0' } })).toEqual(notFound)
    expect(await diagnosisOf({}, 'two')).toEqual(notFound)
  })

  it('is silent where the prompt only grew, and where nobody asked', async () => {
    const grown: Params['messages'] = [
      ...BASE.messages,
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'Why?' },
    ]
    expect(await diagnosisOf({ messages: grown })).toBeNull()
    expect(await diagnosisOf({ max_tokens: 5, cache_control: FIVE_MINUTES })).toBeNull()
    expect(await diagnosisOf({ diagnostics: null, model: 'claude-sonnet-4-6' })).toBeNull()
  })

  it('comes at the start of a stream', async () => {
    const { client } = await provider()
    const opted = { ...BASE, diagnostics: { previous_message_id: null } }
    const first = await client.messages.stream(opted).finalMessage()
    const second = await client.messages
      .stream({ ...BASE, system: 'x', diagnostics: { previous_message_id: first.id } })
      .finalMessage()
    expect(second.diagnostics).toMatchObject({ cache_miss_reason: { type: 'system_changed' } })
  })
})
