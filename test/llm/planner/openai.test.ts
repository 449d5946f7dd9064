import { describe, expect, it } from 'vitest'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'
import { text } from './planner-world.ts'

const SYSTEM = text('Rules', 3000)
const EXPLICIT = { mode: 'explicit' }

function planner() {
  const made = createPrefixPlanner()
  return (request: object, now = 0) =>
    made.plan({ request: request as never, provider: 'openai', now }) as never as {
      request: { prompt_cache_options?: object; messages: object[]; input: object[] | string }
      prefixId: string
      breakpoints: unknown[]
    }
}

describe('requests of OpenAI', () => {
  it('get a breakpoint at the end of the static part of a template, in Chat Completions', () => {
    const { request } = planner()({
      model: 'gpt-6.1',
      messages: [
        { role: 'system', content: SYSTEM },
        { role: 'user', content: text('Question', 500) },
      ],
    })
    expect(request.prompt_cache_options).toEqual({ mode: 'explicit', ttl: '30m' })
    expect(request.messages[0]).toEqual({
      role: 'system',
      content: [{ type: 'text', text: SYSTEM, prompt_cache_breakpoint: EXPLICIT }],
    })
    expect(JSON.stringify(request.messages[1])).not.toContain('breakpoint')
  })

  it('and in the Responses API', () => {
    const part = { type: 'input_text', text: SYSTEM }
    const asked = {
      model: 'gpt-5.6',
      input: [
        { role: 'developer', content: [part] },
        { role: 'user', content: text('Question', 500) },
      ],
    }
    const before = structuredClone(asked)
    const { request, breakpoints } = planner()(asked)
    expect(request.input[0]).toEqual({
      role: 'developer',
      content: [{ ...part, prompt_cache_breakpoint: EXPLICIT }],
    })
    expect(breakpoints).toMatchObject([{ path: '/input/0/content/0', ttl: '30m' }])
    expect(asked).toEqual(before)
  })

  it('let the provider mark the end of a conversation', () => {
    const plan = planner()
    const messages: object[] = [{ role: 'system', content: SYSTEM }]
    let last = plan({ model: 'gpt-6.1', messages: [...messages] })
    for (let turn = 0; turn < 4; turn++) {
      messages.push({ role: 'user', content: text(`Turn ${turn}`, 300) })
      last = plan({ model: 'gpt-6.1', messages: [...messages] }, turn * 1000)
      messages.push({ role: 'assistant', content: text(`Answer ${turn}`, 300) })
    }
    expect(last.request.prompt_cache_options).toEqual({ mode: 'implicit', ttl: '30m' })
  })

  it('of older models, and those with options of their own, are sent as they are', () => {
    const plan = planner()
    const messages = [{ role: 'system', content: SYSTEM }]
    const older = { model: 'gpt-5.5', messages }
    expect(plan(older).request).toBe(older)
    expect(plan(older).prefixId).not.toBe('')
    const settled = { model: 'gpt-6.1', messages, prompt_cache_options: { mode: 'implicit' } }
    expect(plan(settled).request).toBe(settled)
    const small = { model: 'gpt-6.1', messages: [{ role: 'user', content: 'Hi' }] }
    expect(plan(small).request).toBe(small)
  })

  it('pay for no write where nothing is likely to be read', () => {
    const { request } = planner()({ model: 'gpt-6.1', input: text('Once', 3000) })
    expect(request.prompt_cache_options).toEqual({ mode: 'explicit', ttl: '30m' })
    expect(request.input).toBeTypeOf('string')
  })
})
