import { readDte } from '../dte/read-dte.ts'
import { type Answer, serveUpstream } from './upstream.ts'

/** What a million tokens cost, in dollars. */
export const DOLLARS_PER_MILLION = { input: 3, output: 15 } as const

export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
}

export interface Completion {
  readonly text: string
  readonly usage: Usage
}

export function priceOf({ inputTokens, outputTokens }: Usage): number {
  const { input, output } = DOLLARS_PER_MILLION
  return (inputTokens * input + outputTokens * output) / 1_000_000
}

/** The same prompt gives the same text, as a model at temperature 0 nearly does. */
export function complete(prompt: string): Completion {
  const { type, folio, lineAmounts, net, total } = readDte(prompt)
  const largest = Math.max(...lineAmounts)
  const share = Math.round((100 * largest) / net)
  const text = [
    `Document ${folio} of type ${type} has ${lineAmounts.length} lines and a total of ${total} pesos.`,
    `The largest line is ${largest} pesos, ${share} % of the net amount.`,
    share > 80
      ? 'One line carries nearly all of the amount: compare it with the purchase order.'
      : 'The amounts are spread over the lines as usual for this kind of purchase.',
    'Neither the descriptions nor the prices contradict each other; no line looks duplicated.',
    'Recommendation: post the document and pay it within the terms of the issuer.',
  ].join(' ')
  return { text, usage: { inputTokens: tokens(prompt), outputTokens: tokens(text) } }
}

/** About four characters make a token. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4)
}

function answer(_url: URL, body: string): Answer {
  const { prompt } = JSON.parse(body) as { prompt: string }
  const completion = complete(prompt)
  return { body: completion, usd: priceOf(completion.usage) }
}

if (import.meta.main) {
  await serveUpstream({ name: 'llm', latency: { p50: 2_500, p95: 4_000 }, answer })
}
