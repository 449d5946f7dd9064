import { describe, expect, it } from 'vitest'
import type { AnthropicLike, PrefixWarning } from '../../../src/llm/planner/plan.ts'
import { request, text, user, world } from './planner-world.ts'

const MINUTE = 60_000
const SYSTEM = text('Rules', 3000)

function warningsOf(...requests: AnthropicLike[]): readonly PrefixWarning[] {
  const { call } = world()
  return requests.map((asked) => call(asked, { route: 'r' }).plan.warnings).at(-1) ?? []
}

function codes(...requests: AnthropicLike[]): string[] {
  return warningsOf(...requests).map(({ code }) => code)
}

function tool(name: string, more: object = {}) {
  return { name, description: text(name, 300), input_schema: { type: 'object' }, ...more }
}

const chat = (more: object = {}) =>
  request({
    system: SYSTEM,
    messages: [user('Hi'), { role: 'assistant', content: 'Hello' }, user('Go on')],
    ...more,
  })

describe('warnings', () => {
  it.each([
    ['date-time', '2026-11-24T10:00:00Z', '2026-11-24T10:00:09Z'],
    ['date', '2026-11-24', '2026-11-25'],
    ['uuid', '3f2b8f0e-1111-4222-8333-123456789abc', '9a2b8f0e-1111-4222-8333-123456789abc'],
    ['ulid', '01ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ69G5FAW'],
    ['epoch', '1764000000', '1764000009'],
    ['id', 'req_a1b2c3d4', 'req_a1b2c3d5'],
    ['number', '41', '42'],
    ['text', 'Ada', 'Bob'],
  ])('VOLATILE_TEXT names the kind of what changes: %s', (sample, before, after) => {
    const asked = (value: string) => request({ system: `${SYSTEM} Now: ${value}. ${SYSTEM}` })
    const found = warningsOf(asked(before), asked(after))
    expect(found).toEqual([
      expect.objectContaining({ code: 'VOLATILE_TEXT', path: '/system', sample }),
    ])
    expect(JSON.stringify(found)).not.toContain(after)
  })

  it('VOLATILE_TEXT hints at an instant at first sight, and says nothing of two different prompts', () => {
    const asked = request({ system: [{ type: 'text', text: `Today is 24 Nov. ${SYSTEM}` }] })
    expect(warningsOf(asked)[0]).toMatchObject({ path: '/system/0', sample: 'date' })
    expect(codes(request({ system: SYSTEM }), request({ system: text('Other', 3000) }))).toEqual([])
  })

  it('TOOL_ORDER_CHURN, KEY_ORDER_CHURN and TOOLS_CHANGED tell three causes apart', () => {
    const asked = (...tools: object[]) => request({ tools })
    const { name, ...rest } = tool('b')
    expect(codes(asked(tool('a'), tool('b')), asked(tool('b'), tool('a')))).toEqual([
      'TOOL_ORDER_CHURN',
    ])
    expect(codes(asked(tool('b')), asked({ ...rest, name }))).toEqual(['KEY_ORDER_CHURN'])
    expect(codes(asked(tool('a')), asked(tool('a'), tool('b')))).toEqual(['TOOLS_CHANGED'])
    expect(codes(asked(tool('a')), asked(tool('a')))).toEqual([])
  })

  it.each([
    ['TOOL_CHOICE_FLAPPING', { tool_choice: { type: 'any' } }],
    ['THINKING_FLAPPING', { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    ['MODEL_SWITCH', { model: 'claude-opus-5-5' }],
  ])('%s within a conversation', (code, change) => {
    expect(codes(chat(), chat(change))).toEqual([code])
    expect(codes(chat(), chat())).toEqual([])
  })

  it('IMAGES_TOGGLED when the first image comes into a conversation', () => {
    const image = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: 'AAAA' },
    }
    const messages = [...chat().messages, user({ type: 'text', text: 'See' }, image)]
    expect(codes(chat(), chat({ messages }))).toEqual(['IMAGES_TOGGLED'])
  })

  it('says nothing of other conversations, and of a thread even before it has a history', () => {
    const other = (first: string, more: object = {}) => ({
      ...chat(more),
      messages: [user(first), { role: 'assistant', content: 'Hello' }, user('Go on')],
    })
    const forced = { tool_choice: { type: 'any' } }
    expect(codes(other('One'), other('Two', forced))).toEqual([])
    const { call } = world()
    call(request({}), { thread: 't' })
    expect(call(request(forced), { thread: 't' }).plan.warnings[0]?.code).toBe(
      'TOOL_CHOICE_FLAPPING',
    )
  })

  it('BELOW_MINIMUM says how much is missing where it pays to add it', () => {
    const asked = (index: number, tokens: number) =>
      request({ system: text('Rules', tokens), messages: [user(text(`Q${index}`, 200))] })
    const found = (tokens: number) => warningsOf(...[1, 2, 3, 4, 5].map((at) => asked(at, tokens)))
    expect(found(800)[0]?.fix).toContain('224 tokens below')
    expect(found(100)).toEqual([])
  })

  it('LOOKBACK_OVERFLOW where the markers of the client miss what is there', () => {
    const { call } = world({ mode: 'respect' })
    const part = (index: number, isMarked = false) => ({
      type: 'text',
      text: text(`Part ${index}`, 100),
      ...(isMarked && { cache_control: { type: 'ephemeral' } }),
    })
    const asked = (count: number) =>
      request({
        messages: [user(...Array.from({ length: count }, (_, at) => part(at, at === count - 1)))],
      })
    call(asked(15))
    const { plan } = call(asked(40))
    expect(plan.warnings.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'LOOKBACK_OVERFLOW /messages/0/content/14',
    ])
  })

  it('WRITE_NEVER_READ and MARKER_ON_VOLATILE where the client marks what never comes again', async () => {
    const { call, clock } = world()
    const marker = { cache_control: { type: 'ephemeral' } }
    const found: string[][] = []
    for (let index = 0; index < 6; index++) {
      const plan = call(
        request({
          system: [{ type: 'text', text: text(`Rules ${index}`, 1500), ...marker }],
          messages: [
            user(
              { type: 'text', text: text(`Q ${index}`, 1500), ...marker },
              { type: 'text', text: 'x', ...marker },
            ),
          ],
        }),
      ).plan
      found.push(plan.warnings.map(({ code }) => code).toSorted())
      await clock.advance(2 * MINUTE)
    }
    expect(found[0]).toEqual([])
    expect(found.at(-1)).toEqual(['MARKER_ON_VOLATILE', 'MARKER_ON_VOLATILE', 'WRITE_NEVER_READ'])
  })

  it('TTL_TOO_SHORT where requests mostly come later', async () => {
    const { call, clock } = world()
    const asked = (index: number) =>
      request({
        system: [{ type: 'text', text: SYSTEM, cache_control: { type: 'ephemeral' } }],
        messages: [user(`Q ${index}`)],
      })
    for (let index = 0; index < 3; index++) {
      call(asked(index))
      await clock.advance(15 * MINUTE)
    }
    expect(call(asked(9)).plan.warnings.map(({ code }) => code)).toEqual(['TTL_TOO_SHORT'])
  })

  it('are kept for explain, which names the route and its static part', () => {
    const { call, planner } = world()
    call(request({ system: SYSTEM, tools: [tool('a')] }), { route: 'r' })
    call(request({ system: SYSTEM, tools: [tool('b')] }), { route: 'r' })
    call(request({ system: SYSTEM, tools: [tool('b')] }), { route: 'r' })
    expect(planner.explain('r')).toMatchObject({
      route: 'r',
      requests: 3,
      staticUntil: '/messages/0/content',
      warnings: [{ code: 'TOOLS_CHANGED' }],
    })
    expect(planner.explain().route).toBe('r')
    expect(planner.explain('never').requests).toBe(0)
  })
})
