import fc from 'fast-check'

// Requests of the Messages API over a small alphabet, so that two of them are often nearly the same.

const text = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'é',
  '\ud800',
  '\ud801',
  '"',
  '[{"text":"a","type":"text"}]',
)
const number = fc.constantFrom(0, -0, 1, 1.5, 1e21)

/** What a caller may put into a schema or the input of a tool: also what means something elsewhere. */
const data: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(
      fc.constantFrom('cache_control', 'stream', 'content', 'text', '__proto__'),
      tie('value'),
      { maxKeys: 2 },
    ),
  ),
})).value

const textBlock = fc.record({ type: fc.constant('text'), text })
const image = fc.record({
  type: fc.constant('image'),
  source: fc.record({
    type: fc.constant('base64'),
    media_type: fc.constantFrom('image/png', 'image/gif'),
    data: fc.constantFrom('QQ==', 'QR==', 'QQ', 'Qg=='),
  }),
})
const toolUse = fc.record({ type: fc.constant('tool_use'), id: text, name: text, input: data })
const toolResult = fc.record({
  type: fc.constant('tool_result'),
  content: fc.oneof(text, fc.array(textBlock, { maxLength: 2 })),
})
const block = fc.oneof(textBlock, textBlock, image, toolUse, toolResult)
const content = fc.oneof(text, fc.array(block, { maxLength: 2 }))

const optional = fc.record(
  {
    system: fc.oneof(text, fc.array(textBlock, { maxLength: 2 })),
    tools: fc.array(fc.record({ name: text, input_schema: data }), { maxLength: 2 }),
    temperature: number,
    brand_new: data,
  },
  { requiredKeys: [] },
)

export const request: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.record({
      model: fc.constantFrom('m', 'n'),
      messages: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content }), {
        maxLength: 2,
      }),
    }),
    optional,
  )
  .map(([needed, more]) => ({ ...needed, ...more }))

/** Options that keep keys apart, over texts whose joins meet. */
export const options = fc.record(
  {
    tenant: fc.oneof(
      fc.constantFrom('a', 'ab', 'shared', '\ud800', '\ud801'),
      fc.constant({ shared: true as const }),
    ),
    endpoint: fc.constantFrom('', 'a', 'b', 'default'),
    namespace: fc.constantFrom('', 'a', 'b'),
    version: fc.constantFrom('', '1', 'b'),
  },
  { noNullPrototype: true },
)
