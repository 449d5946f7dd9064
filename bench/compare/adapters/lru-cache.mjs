// The baseline that the ratios refer to (get), and its own loading cache (fetch).
import { LRUCache } from 'lru-cache'

export const id = 'lru-cache'
export const variants = ['get', 'fetch']
/** Who makes the key of an object argument: the caller, by a template string. */
export const objectKeys = 'by hand'
export const unsupported = { get: ['miss', 'cold', 'failing', 'tags'], fetch: ['tags'] }

export async function setup({ variant = 'get', ttlMs = 3_600_000, max = 10_000, keyOf, origin }) {
  if (variant === 'get') {
    const lru = new LRUCache({ max, ttl: ttlMs })
    const fn = (arg) => lru.get(keyOf(arg))
    return { fn, peek: fn, fill: async (arg) => lru.set(keyOf(arg), await origin(arg)) }
  }
  const lru = new LRUCache({
    max,
    ttl: ttlMs,
    fetchMethod: (_key, _stale, { context }) => origin(context),
  })
  const fn = (arg) => lru.fetch(keyOf(arg), { context: arg })
  return { fn, peek: (arg) => lru.get(keyOf(arg)), fill: fn }
}

export async function teardown() {}
