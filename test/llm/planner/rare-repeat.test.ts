import { expect, it } from 'vitest'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'

const RULES = 'Rule: quote the paragraph you rely on. '.repeat(280)

it('one repeat after some minutes does not make it write the end of every document for an hour', () => {
  const planner = createPrefixPlanner()
  let now = 1_800_000_000_000
  const plan = (document: number) => {
    now += 15_000
    const text = `Document ${document}: ${`line ${document} of the document. `.repeat(50)}`
    const messages = [{ role: 'user', content: text }]
    const request = { model: 'claude-sonnet-5', max_tokens: 9, system: RULES, messages }
    return planner.plan({ request, now, route: 'validate' })
  }
  for (let document = 0; document < 40; document++) plan(document)
  now += 60_000
  plan(12)
  for (let document = 200; document < 204; document++) {
    expect(plan(document).breakpoints.map(({ path }) => path)).toEqual(['/system'])
  }
})
