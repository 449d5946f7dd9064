/**
 * One function, wrapped: fewer calls, one call for many callers, invalidation.
 *
 *   node examples/01-wrap-a-function/main.ts
 */
import { setTimeout as sleep } from 'node:timers/promises'
// In your project: from '@org/resilient-cache'
import { createCache } from '../../src/index.ts'

let calls = 0

/** A service that takes its time. */
async function fetchPartner(id: string) {
  calls++
  await sleep(100)
  return { id, name: `Partner ${id}`, version: calls }
}

const cache = createCache({ ttl: '5m' })
const getPartner = cache.cached(fetchPartner)

async function show(what: string, run: () => Promise<unknown>) {
  const callsBefore = calls
  const start = performance.now()
  await run()
  const ms = Math.round(performance.now() - start)
  console.log(`${what.padEnd(36)} ${String(calls - callsBefore).padStart(5)} calls ${ms} ms`)
}

await show('100 requests, one after the other', async () => {
  for (let i = 0; i < 100; i++) await getPartner('7')
})
await show('1,000 requests at once, another key', () =>
  Promise.all(Array.from({ length: 1000 }, () => getPartner('8'))),
)
await show('the partner changed: invalidate, read', async () => {
  await getPartner.invalidate('7')
  await getPartner('7')
})

console.log('\nHow the next call would end:')
console.log(`  '7': ${(await getPartner.explain('7')).summary}`)
console.log(`  '9': ${(await getPartner.explain('9')).summary}`)

const { hits, misses, coalesced, originCalls } = cache.stats()
console.log('\nCounters:', { hitsInL1: hits.l1, misses, coalesced, originCalls })
await cache.close()
