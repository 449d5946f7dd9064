// Run by plain Node, on the lowest version too (`npm run test:node22`): a CommonJS program that
// require()s the package. It prints 'ok' when everything held.
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { cached, createCache, isResilienceError } = require('@org/resilient-cache')
const { keyv } = require('@org/resilient-cache/keyv')
const { sqlite } = require('@org/resilient-cache/sqlite')
const { FakeClock } = require('@org/resilient-cache/testing')

async function main() {
  assert.equal(typeof keyv, 'function')
  assert.equal(new FakeClock(5).now(), 5)

  let calls = 0
  const double = cached(
    async (n) => {
      calls++
      return n * 2
    },
    { ttl: '1m' },
  )
  assert.deepEqual(await Promise.all([double(2), double(2)]), [4, 4])
  assert.equal(await double(2), 4)
  assert.equal(calls, 1)

  assert.throws(
    () => createCache({ ttl: 'soon' }),
    (error) => isResilienceError(error, 'ERR_INVALID_OPTION'),
  )

  const folder = mkdtempSync(join(tmpdir(), 'resilient-cache-'))
  try {
    const cache = createCache({
      name: 'smoke',
      ttl: '1m',
      l2: sqlite({ path: join(folder, 'cache.db') }),
    })
    const when = await cache.getOrSet('when', async () => new Date(0), { ttl: '1m' })
    assert.deepEqual(when, new Date(0))
    await cache.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

main().then(
  () => console.log('ok'),
  (error) => {
    console.error(error)
    process.exitCode = 1
  },
)
