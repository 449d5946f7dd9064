/**
 * A conversation with a help desk: twelve turns, a pause of twenty minutes and one of ninety, a double
 * click, an answer that two windows show while it is written. What each call costs, and why.
 *
 *   node examples/llm/chat.ts
 *
 * The provider is a loopback one, and the pauses take no time. With ANTHROPIC_API_KEY and --live it is the
 * real one, which costs money, and there are no pauses.
 */
import type Anthropic from '@anthropic-ai/sdk'
// In your project: from '@org/resilient-cache' and '@org/resilient-cache/llm'
import { createCache } from '../../src/index.ts'
import { cachedStream, promptCache } from '../../src/llm.ts'
import { CallTable } from './call-table.ts'
import { DOUBLE_CLICK, SHARED_TURN, TURNS } from './conversation.ts'
import { billOf, type Way } from './ledger.ts'
import { openProvider } from './provider.ts'
import { RULES } from './rules.ts'
import { watchedPlanner } from './watched-planner.ts'

type Message = Anthropic.MessageParam
type Request = Pick<Anthropic.MessageCreateParams, 'model' | 'max_tokens' | 'system' | 'messages'>

const provider = await openProvider(({ messages }) => {
  const turn = TURNS[(messages.length - 1) / 2]
  return turn?.answer
})
const { client } = provider
const planner = watchedPlanner(provider.clock)
const table = new CallTable(planner, provider.now)
const cache = createCache({
  name: 'help-desk',
  ...(provider.clock && { clock: provider.clock }),
})

const llm = promptCache({ provider: 'anthropic', tenant: 'customer-7', route: 'chat', planner })
const ask = cache.cached((request: Request) => client.messages.create(request), {
  name: 'ask',
  ttl: '1h',
  llm,
})
const write = cachedStream(
  (request: Request) => client.messages.create({ ...request, stream: true }),
  { cache, name: 'write', ttl: '1h', llm },
)

const history: Message[] = []
const requestOf = (): Request => ({
  model: 'claude-sonnet-5',
  max_tokens: 500,
  system: `You are the help desk of a shop for tax documents. Answer by these rules.\n${RULES}`,
  messages: [...history],
})

/** One call of `ask`. @returns the text of the answer */
async function answerTo(request: Request, name: string): Promise<string> {
  const { value, outcome, ageMs } = await ask.detail(request)
  const paid: Way | undefined =
    outcome === 'hit' ? 'L1 hit' : outcome === 'coalesced' ? 'joined' : undefined
  const bill = billOf(value, paid !== undefined)
  const way = paid ?? (bill.read > 0 ? 'L3 hit' : 'miss')
  table.print({ name, way, bill, request, ageMs })
  return value.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

/** One window that shows the answer while it comes. @returns its text */
async function show(request: Request, name: string): Promise<string> {
  const stream = write(request)
  let text = ''
  let usage: object = {}
  for await (const event of stream) {
    if (event.type === 'message_start') usage = event.message.usage
    if (event.type === 'message_delta')
      usage = { ...usage, output_tokens: event.usage.output_tokens }
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
      text += event.delta.text
    }
  }
  const isPaid = stream.source !== 'upstream'
  const bill = billOf({ model: request.model, usage }, isPaid)
  const way = !isPaid ? (bill.read > 0 ? 'L3 hit' : 'miss') : (stream.source as Way)
  table.print({ name, way, bill, request })
  return text
}

table.section('A conversation of twelve turns')
for (const [at, { question, after }] of TURNS.entries()) {
  await provider.pause(after)
  if (after > 300) table.pause(`${after / 60} minutes later`)
  history.push({ role: 'user', content: question })
  const request = requestOf()
  const name = `turn ${at + 1}`
  let answer: string
  if (at === SHARED_TURN) {
    const windows = [show(request, `${name}, a stream`), show(request, '  a 2nd window')]
    const [first, second] = await Promise.all(windows)
    await provider.pause(1)
    const third = await show(request, '  a reload')
    console.log(`     the three texts are the same: ${first === second && second === third}`)
    answer = third
  } else if (at === DOUBLE_CLICK) {
    ;[answer] = (await Promise.all([
      answerTo(request, name),
      answerTo(requestOf(), '  clicked twice'),
    ])) as [string, string]
    await answerTo(requestOf(), '  and a reload')
  } else {
    answer = await answerTo(request, name)
  }
  history.push({ role: 'assistant', content: answer })
}

console.log('\nAll together')
for (const line of table.ledger.summary()) console.log(`  ${line}`)
await cache.close()
await provider.close()
