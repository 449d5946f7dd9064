// The ES module way into the package, with the same assertions as the CommonJS one beside it, and
// that both ways reach the same copy.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import * as imported from '@org/resilient-cache'

const required = createRequire(import.meta.url)('@org/resilient-cache')
assert.equal(imported.createCache, required.createCache)

await import('./smoke.cjs')
