/**
 * A SQLite file behind L1: values survive a restart, and an invalidation reaches another process.
 * Two caches in one process stand for two processes here: they share nothing but the file.
 *
 *   node examples/02-two-levels/main.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
// In your project: from '@org/resilient-cache' and '@org/resilient-cache/sqlite'
import { createCache } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'resilient-cache-example-'))
const path = join(folder, 'cache.db')
let calls = 0
let price = 990

/** What a process does when it starts. */
async function start(l1Ttl: '5s' | '300ms' = '5s') {
  // A longer deadline than the usual 50 ms, so that a busy machine prints the same.
  const l2 = sqlite({ path, timeout: '1s' })
  const cache = createCache({ name: 'shop', ttl: '1h', l1: { ttl: l1Ttl }, l2 })
  const getPrice = cache.cached(
    async (sku: string) => {
      calls++
      return { sku, cents: price }
    },
    { name: 'price' },
  )
  await cache.ready()
  return { cache, getPrice }
}

try {
  console.log('The first process loads three prices.')
  const first = await start()
  await first.getPrice.many([['tea'], ['coffee'], ['milk']])
  await first.cache.close()
  console.log(`  calls of the origin: ${calls}`)

  console.log('It restarts.')
  const second = await start()
  const { value, source } = await second.getPrice.detail('tea')
  console.log(`  tea costs ${value.cents}, from ${source}; calls of the origin: ${calls}`)

  console.log('Another process, with copies in its L1 that live 300 ms, reads too.')
  const other = await start('300ms')
  console.log(`  tea costs ${(await other.getPrice('tea')).cents}`)

  console.log('The price changes, and the second process says so.')
  price = 1090
  const { durable } = await second.getPrice.invalidate('tea')
  console.log(`  durable: ${durable}; here tea costs ${(await second.getPrice('tea')).cents}`)
  await sleep(350)
  console.log(`  after the copy's 300 ms, in the other: ${(await other.getPrice('tea')).cents}`)
  console.log(`  calls of the origin, all processes together: ${calls}`)

  await Promise.all([second.cache.close(), other.cache.close()])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
