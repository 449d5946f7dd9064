import type { MessagesRequest } from '../../../src/testing/fake-anthropic/messages-request.ts'
import { faultOfRequest } from '../../../src/testing/fake-anthropic/request-rules.ts'

type Random = () => number
type Block = Record<string, unknown>
type Message = { role: 'user' | 'assistant'; content: string | Block[] }

/** A conversation that grows, is edited, and changes its settings now and then. */
interface Conversation {
  readonly model: string
  tools: Block[]
  system: string | Block[]
  messages: Message[]
  settings: Record<string, unknown>
}

const MODELS = [
  'claude-sonnet-5',
  'claude-opus-5-5',
  'claude-haiku-4-5',
  'claude-haiku-5-5',
  'claude-opus-4-7',
] as const

/** Valid requests of a few conversations, markers anywhere. */
export function randomRequests(random: Random): () => MessagesRequest {
  const conversations = Array.from({ length: 1 + whole(random, 3) }, () => conversation(random))
  return () => {
    const talk = pick(random, conversations)
    for (let steps = whole(random, 4); steps > 0; steps--) pick(random, CHANGES)(talk, random)
    for (;;) {
      const request = marked(talk, random)
      if (faultOfRequest(request, 'messages', 4) === undefined) return request
    }
  }
}

export function whole(random: Random, below: number): number {
  return Math.floor(random() * below)
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[whole(random, values.length)] as T
}

function conversation(random: Random): Conversation {
  const from = (texts: readonly string[]) => pick(random, texts)
  return {
    model: pick(random, MODELS),
    tools:
      random() < 0.5 ? Array.from({ length: whole(random, 4) }, (_, at) => tool(`t${at}`)) : [],
    system: random() < 0.3 ? from(LONG) : [textBlock(from(LONG)), textBlock(from(SHORT))],
    messages: [{ role: 'user', content: from(SHORT) }],
    settings: {},
  }
}

const SHORT = ['', 'a', 'Hello', 'Köln, 10 €', 'x'.repeat(400), 'y'.repeat(1000)]
const LONG = ['p'.repeat(1500), 'q'.repeat(2100), 'r'.repeat(4200), 's'.repeat(17_000)]

const textBlock = (text: string): Block => ({ type: 'text', text })
const tool = (name: string): Block => ({ name, input_schema: { type: 'object' } })

function append(talk: Conversation, role: Message['role'], blocks: Block[]): void {
  const last = talk.messages.at(-1)
  if (last?.role === role && Array.isArray(last.content)) last.content.push(...blocks)
  else talk.messages.push({ role, content: blocks })
}

const say = (talk: Conversation, random: Random): void => {
  const role = talk.messages.at(-1)?.role === 'user' ? 'assistant' : 'user'
  const count = 1 + whole(random, random() < 0.2 ? 25 : 3)
  append(
    talk,
    role,
    Array.from({ length: count }, () => textBlock(pick(random, [...SHORT, ...LONG]))),
  )
}

const useTools = (talk: Conversation, random: Random): void => {
  const calls = 1 + whole(random, 25)
  const ids = Array.from({ length: calls }, (_, at) => `c${talk.messages.length}-${at}`)
  if (random() < 0.4)
    append(talk, 'assistant', [{ type: 'thinking', thinking: 'hm', signature: 's' }])
  const interleaved = random() < 0.3
  append(
    talk,
    'assistant',
    ids.flatMap((id) => [
      { type: 'tool_use', id, name: 't0', input: { of: id } },
      ...(interleaved ? [textBlock('and')] : []),
    ]),
  )
  append(
    talk,
    'user',
    ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: pick(random, SHORT) })),
  )
}

const showImage = (talk: Conversation, random: Random): void => {
  const data = 'A'.repeat(whole(random, 3000))
  append(talk, 'user', [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
  ])
}

const showDocument = (talk: Conversation, random: Random): void => {
  const source = { type: 'text', media_type: 'text/plain', data: pick(random, LONG) }
  append(talk, 'user', [{ type: 'document', source, citations: { enabled: random() < 0.5 } }])
}

const forget = (talk: Conversation, random: Random): void => {
  talk.messages.splice(1 + whole(random, talk.messages.length))
}

const edit = (talk: Conversation, random: Random): void => {
  const message = pick(random, talk.messages)
  message.content = pick(random, SHORT)
}

const instruct = (talk: Conversation, random: Random): void => {
  talk.system = random() < 0.5 ? pick(random, LONG) : [textBlock(pick(random, LONG))]
}

const equip = (talk: Conversation, random: Random): void => {
  talk.tools = pick(random, [
    [],
    [tool('t0'), tool('t1')],
    [tool('t1'), tool('t0')],
    [tool('t0'), { type: 'web_search_20250305', name: 'web_search' }],
    [{ ...tool('t0'), description: pick(random, LONG) }],
  ])
}

const SETTINGS = {
  tool_choice: [undefined, { type: 'auto' }, { type: 'any' }],
  thinking: [undefined, { type: 'disabled' }, { type: 'enabled', budget_tokens: 1024 }],
  speed: [undefined, 'fast'],
  output_config: [
    undefined,
    { effort: 'high' },
    { effort: 'low' },
    { format: { type: 'json_schema', schema: { type: 'object' } } },
  ],
}

const set = (talk: Conversation, random: Random): void => {
  const name = pick(random, Object.keys(SETTINGS) as (keyof typeof SETTINGS)[])
  const { [name]: _, ...others } = talk.settings
  const value = pick<unknown>(random, SETTINGS[name])
  talk.settings = value === undefined ? others : { ...others, [name]: value }
}

/** What grows a conversation comes oftener than what breaks its prefix. */
const CHANGES = [
  ...[say, say, say, say, useTools, useTools, showImage, showDocument],
  ...[forget, edit, instruct, equip, set],
]

/** A copy, with up to four markers, those of an hour first where they are mixed. */
function marked(talk: Conversation, random: Random): MessagesRequest {
  const { model, messages, settings } = talk
  const request = structuredClone({ model, max_tokens: 10, messages, ...settings }) as Block
  if (talk.tools.length > 0) request.tools = structuredClone(talk.tools)
  request.system = structuredClone(talk.system)
  const places = [request.tools, request.system, ...(request.messages as Message[]).map(contentOf)]
    .filter(Array.isArray)
    .flat() as Block[]
  const chosen = new Set<number>()
  for (let count = whole(random, 5); count > 0 && places.length > 0; count--) {
    // Rather near the end, where markers are put.
    chosen.add(places.length - 1 - Math.floor(random() ** 2 * places.length))
  }
  const sorted = [...chosen].sort((a, b) => a - b)
  const hours = whole(random, 3) === 0 ? whole(random, 5) : 0
  sorted.forEach((at, order) => {
    const ttl = order < hours ? '1h' : pick(random, [undefined, '5m'])
    ;(places[at] as Block).cache_control = { type: 'ephemeral', ...(ttl && { ttl }) }
  })
  if (random() < 0.2) request.cache_control = { type: 'ephemeral' }
  return request as unknown as MessagesRequest
}

function contentOf({ content }: Message): unknown {
  return content
}
