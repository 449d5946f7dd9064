// The other process of the scene `redis-propagation`: `redis-reader.ts <index.js> <redis.js> <url>`. It
// takes each value that it is told into L1, and says when it no longer has it.
import { setImmediate as nextTurn } from 'node:timers/promises'

const [index, adapter, url] = process.argv.slice(2) as [string, string, string]
const library = (await import(index)) as typeof import('../../src/index.ts')
const { redis } = (await import(adapter)) as typeof import('../../src/redis.ts')
const cache = library.createCache({ name: 'bench', ttl: '1h', l2: redis({ url }) })
await cache.ready({ timeout: '10s', strict: true })
const partner = cache.cached(async (id: number) => id, { name: 'partner' })
process.on('message', async (id: number) => {
  await partner(id)
  tell('here')
  while (partner.peek(id) !== undefined) await nextTurn()
  tell(String(process.hrtime.bigint()))
})
tell('ready')

function tell(text: string): void {
  process.send?.(text)
}
