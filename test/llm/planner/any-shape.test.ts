import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'
import { faultOfRequest } from '../../../src/testing/fake-anthropic/request-rules.ts'

type Raw = Record<string, unknown>

const MINUTE = 60_000
const text = fc
  .tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 3 }))
  .map(([letter, length]) => letter.repeat(length * 3000))
const marker = fc.constantFrom(undefined, undefined, undefined, null, {
  type: 'ephemeral',
  ttl: '1h',
})
const id = fc.constantFrom('1', '2')
const inner = fc.record({ type: fc.constant('text'), text, cache_control: marker })
const block: fc.Arbitrary<unknown> = fc.oneof(
  inner,
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: fc.constant('s') }),
  fc.record({ type: fc.constant('tool_use'), id, input: fc.constant({ cache_control: 1 }) }),
  fc.record({
    type: fc.constant('tool_result'),
    tool_use_id: id,
    content: fc.oneof(text, fc.array(inner, { maxLength: 2 }), fc.constant(null)),
  }),
  fc.record({ type: fc.constantFrom('image', 'document'), source: fc.record({ data: text }) }),
  fc.record({ type: fc.constantFrom('server_tool_use', 'redacted_thinking', 'new'), data: text }),
  fc.constantFrom(null, undefined, 5, 'text in a list', [], {}),
)
const content = fc.oneof(text, fc.array(block, { maxLength: 6 }), fc.constantFrom(null, undefined))
const message: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ role: fc.constantFrom('user', 'assistant', 'system'), content }),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, {}, 3) },
)
const tool: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ name: id, description: text, cache_control: marker }),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, 'x') },
)
const asked = fc.record({
  model: fc.constantFrom('claude-sonnet-5', 'claude-haiku-4-5', 'claude-new-9'),
  max_tokens: fc.constant(10),
  system: content,
  tools: fc.oneof(fc.array(tool, { maxLength: 3 }), fc.constantFrom(null, undefined)),
  messages: fc.oneof(fc.array(message, { maxLength: 6 }), fc.constant(null)),
  cache_control: marker,
})

describe('plans of requests of any shape', () => {
  it('add markers and nothing else, and none that the provider refuses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(asked, fc.integer({ min: -5, max: 60 })), { minLength: 1, maxLength: 4 }),
        (calls) => {
          const planner = createPrefixPlanner()
          let now = 1_000_000
          for (const [given, gap] of [...calls, ...calls]) {
            now += gap * MINUTE
            frozen(given)
            const hint = { kind: gap % 2 === 0 ? ('chat' as const) : ('auto' as const) }
            const { request, expected } = planner.plan({ request: given as never, now, hint })
            expect(JSON.stringify(bare(request, given))).toBe(JSON.stringify(bare(given, given)))
            expect(expected.cost).toBeGreaterThanOrEqual(0)
            if (faultOfRequest(given as never, 'messages', 4) !== undefined) continue
            expect(faultOfRequest(request, 'messages', 4)).toBeUndefined()
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** Without markers where markers may stand, and text as it was given. */
function bare(planned: Raw, given: Raw): Raw {
  const { tools, system, messages, ...rest } = unmarked(planned) as Raw
  const before = given.messages as Array<Raw | null> | null
  return {
    ...rest,
    tools: list(tools, given.tools),
    system: list(system, given.system),
    messages: Array.isArray(messages)
      ? messages.map((one, at) =>
          typeof one === 'object' && one !== null
            ? { ...one, content: list((one as Raw).content, before?.[at]?.content) }
            : one,
        )
      : messages,
  }
}

function list(planned: unknown, given: unknown): unknown {
  if (!Array.isArray(planned)) return planned
  return typeof given === 'string' ? (planned[0] as Raw).text : planned.map(unmarked)
}

function unmarked(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { cache_control: _, ...rest } = value as Raw
  return rest
}

function frozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  for (const one of Object.values(value)) frozen(one)
}
