// Two stores that its documentation shows: its own default (a Map behind Keyv) and CacheableMemory,
// without the clone of each read.
import { createCache } from 'cache-manager'
import { createKeyv } from 'cacheable'

export const id = 'cache-manager'
export const variants = ['default', 'CacheableMemory, useClone: false']
export const objectKeys = 'by hand'
export const unsupported = {
  default: ['tags'],
  'CacheableMemory, useClone: false': ['tags'],
}

export async function setup({ variant, ttlMs = 3_600_000, max = 10_000, keyOf, origin }) {
  const memory = () => createKeyv({ ttl: ttlMs, useClone: false, lruSize: max })
  const cache = createCache(
    variant === 'default' ? { ttl: ttlMs } : { ttl: ttlMs, stores: [memory()] },
  )
  const fn = (arg) => cache.wrap(keyOf(arg), () => origin(arg), ttlMs)
  return { fn, fill: fn, cache }
}

export async function teardown({ cache }) {
  await cache.disconnect()
}
