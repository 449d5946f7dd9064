/**
 * Invoices are checked by a model, with one long template for all of them: what each call costs, and why.
 *
 *   node examples/llm/validate-documents.ts
 *
 * The provider is a loopback one. With ANTHROPIC_API_KEY and --live it is the real one, which costs money.
 */
import type Anthropic from '@anthropic-ai/sdk'
// In your project: from '@org/resilient-cache' and '@org/resilient-cache/llm'
import { createCache, memory } from '../../src/index.ts'
import { promptCache } from '../../src/llm.ts'
import { CallTable } from './call-table.ts'
import { type Invoice, invoices, verdictOn } from './invoices.ts'
import { billOf, type Way } from './ledger.ts'
import { openProvider } from './provider.ts'
import { RULES } from './rules.ts'
import { watchedPlanner } from './watched-planner.ts'

type Request = Anthropic.MessageCreateParamsNonStreaming

const WAYS: Readonly<Record<string, Way>> = {
  hit: 'L1 hit',
  revalidated: 'L1 hit',
  promoted: 'L2 hit',
  coalesced: 'joined',
}

/** The provider of this example: it has read the document, and cuts one answer short. */
let cutShort = 0
const provider = await openProvider(({ messages }) => {
  const xml = /<DTE[\s\S]*<\/DTE>/.exec(JSON.stringify(messages).replaceAll('\\"', '"'))?.[0] ?? ''
  const isCut = xml.includes('<Folio>4016<') && cutShort++ === 0
  return { text: verdictOn(xml), ...(isCut && { stop_reason: 'max_tokens' }) }
})
const planner = watchedPlanner(provider.clock)
const table = new CallTable(planner, provider.now)

const llm = promptCache({ provider: 'anthropic', tenant: 'acme', route: 'validate', planner })
let skipped: string | undefined
llm.on('report', (report) => {
  skipped = report.skipped
})

/** A service; two of them share what is in L2. */
const l2 = memory()
function service() {
  const cache = createCache({
    name: 'validation',
    l2,
    ...(provider.clock && { clock: provider.clock }),
  })
  const check = cache.cached((request: Request) => provider.client.messages.create(request), {
    name: 'check',
    ttl: '30d',
    llm,
  })
  return { cache, check }
}
const [first, second] = [service(), service()]

function requestFor(invoice: Invoice, today: 'nowhere' | 'first' | 'last' = 'nowhere'): Request {
  const date = `Today is ${new Date(provider.now()).toISOString()}.`
  return {
    model: 'claude-sonnet-5',
    max_tokens: 500,
    system: today === 'first' ? `${date}\n${RULES}` : RULES,
    messages: [
      {
        role: 'user',
        content: `Check this document, and answer in JSON.\n${invoice.xml}${today === 'last' ? date : ''}`,
      },
    ],
  }
}

async function validate(invoice: Invoice, request: Request, { check } = first): Promise<void> {
  skipped = undefined
  const { value, outcome, ageMs } = await check.detail(request)
  const paid = WAYS[outcome]
  const bill = billOf(value, paid !== undefined)
  const way = paid ?? (bill.read > 0 ? 'L3 hit' : 'miss')
  table.print({ name: `invoice ${invoice.folio}`, way, bill, request, ageMs, skipped })
}

const documents = invoices(40)
const [burst, others] = [documents.slice(0, 10), documents.slice(10)]

table.section('Ten at once, and nothing is cached: one writes, nine wait for it and read')
await Promise.all(burst.map((invoice) => validate(invoice, requestFor(invoice))))

table.section('Thirty more, one every 15 seconds')
for (const invoice of others) {
  await provider.pause(15)
  await validate(invoice, requestFor(invoice))
  // What was cut short is in no cache: asked again, it is asked for.
  if (skipped !== undefined) await validate(invoice, requestFor(invoice))
}

table.section('Six of them again')
for (const invoice of documents.slice(12, 18)) await validate(invoice, requestFor(invoice))

table.section('And three in another instance of the service')
for (const invoice of documents.slice(0, 3)) await validate(invoice, requestFor(invoice), second)

table.section('Somebody puts the time into the system prompt')
for (const invoice of documents.slice(20, 25)) {
  await provider.pause(15)
  await validate(invoice, requestFor(invoice, 'first'))
}

table.section('Mended: it stands at the end of the message (this change is told of once)')
for (const invoice of documents.slice(20, 25)) {
  await provider.pause(15)
  await validate(invoice, requestFor(invoice, 'last'))
}

console.log('\nAll together')
for (const line of table.ledger.summary()) console.log(`  ${line}`)
await first.cache.close()
await second.cache.close()
await provider.close()
