/**
 * The origin gets slow, fails, and comes back. The callers see prices all the time.
 *
 *   node examples/03-origin-down/main.ts
 */
import { setTimeout as sleep } from 'node:timers/promises'
// In your project: from '@org/resilient-cache'
import { createCache, isResilienceError } from '../../src/index.ts'

let mode: 'fine' | 'slow' | 'failing' = 'fine'
let calls = 0

async function fetchPrice(sku: string) {
  const call = ++calls
  if (mode === 'slow') await sleep(800)
  if (mode === 'failing') throw new Error('503 Service Unavailable')
  return `${sku} from call ${call}`
}

const cache = createCache({
  ttl: '200ms',
  grace: '1h',
  softTimeout: '50ms',
  hardTimeout: '500ms',
  graceBackoff: '400ms',
  refreshAhead: false,
})
const getPrice = cache.cached(fetchPrice)
cache.on('origin', ({ result }) => console.log(`    (the origin ended: ${result})`))

async function ask(sku: string) {
  const start = performance.now()
  const ms = () => `${Math.round(performance.now() - start)} ms`
  try {
    const { value, outcome } = await getPrice.detail(sku)
    console.log(`  ${value}, ${outcome}, ${ms()}`)
  } catch (error) {
    const code = isResilienceError(error) ? error.code : (error as Error).message
    console.log(`  no ${sku}: ${code}, ${ms()}`)
  }
}

console.log('The origin is fine.')
await ask('tea')
await ask('tea')

console.log('It gets slow. Callers wait 50 ms for a fresh price, then take the stale one.')
mode = 'slow'
await sleep(250)
await ask('tea')
await ask('tea')
console.log('  A key without a stale value waits until hardTimeout:')
await ask('coffee')

console.log('It fails. The stale price stands in; the origin is left alone for a while.')
mode = 'failing'
await sleep(500)
await ask('tea')
const callsBefore = calls
for (let i = 0; i < 50; i++) await getPrice('tea')
console.log(`  50 more requests, ${calls - callsBefore} more calls of the origin`)
console.log('  A key without a stale value gets the origin’s own error:')
await ask('coffee')

console.log('It is back.')
mode = 'fine'
await sleep(450)
await ask('tea')
await ask('coffee')

const { stale, originCalls, originErrors } = cache.stats()
console.log('\nCounters:', { stale, originCalls, originErrors })
await cache.close()
