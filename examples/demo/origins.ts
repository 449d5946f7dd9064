import type { Completion } from './upstreams/llm.ts'
import type { Partner } from './upstreams/partners.ts'
import type { Verdict } from './upstreams/tax-authority.ts'

/** Where the three upstreams answer. */
export interface Addresses {
  readonly tax: string
  readonly partners: string
  readonly llm: string
}

/** What the service asks of the outside world. Each call is slow, may fail, may cost money. */
export interface Origins {
  validate(xml: string): Promise<Verdict>
  findPartner(rut: string): Promise<Partner | null>
  review(xml: string): Promise<Completion>
}

const REVIEW_PROMPT = `You review Chilean electronic tax documents before they are posted.
Say in five sentences or fewer what the document is, whether the lines, quantities and prices make
sense together, whether a line looks duplicated, and what the accountant should do with it.
Do not repeat the tax numbers. Do not give legal advice. The document:
`

/** The plain functions: every call goes upstream. */
export function httpOrigins(at: Addresses): Origins {
  return {
    validate: (xml) => ask(`${at.tax}/validate`, xml),
    findPartner: (rut) =>
      ask<Partner | null>(`${at.partners}/partners?vat=${encodeURIComponent(rut)}`),
    review: (xml) => ask(`${at.llm}/completions`, JSON.stringify({ prompt: REVIEW_PROMPT + xml })),
  }
}

/** `null` for 404; any other refusal is an error. */
async function ask<T>(url: string, body?: string): Promise<T> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body })
  const answer = (await response.json()) as T & { error?: string }
  if (response.status === 404) return null as T
  if (!response.ok) throw new Error(answer.error ?? `upstream answered ${response.status}`)
  return answer
}
