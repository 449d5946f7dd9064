import { createCache } from 'async-cache-dedupe'

export const id = 'async-cache-dedupe'
export const variants = ['default']
export const objectKeys = 'derived'
export const unsupported = {}

export async function setup({ ttlMs = 3_600_000, max = 10_000, origin, tags }) {
  // With `invalidation` it keeps the references that serve as its tags.
  const storage = { type: 'memory', options: { size: max, ...(tags && { invalidation: true }) } }
  const cache = createCache({ ttl: Math.ceil(ttlMs / 1000), storage })
  const options = tags ? { references: () => ['bench'] } : {}
  cache.define('load', options, (arg) => origin(arg))
  const fn = (arg) => cache.load(arg)
  return { fn, fill: fn }
}

export async function teardown() {}
