// `wrap` makes the key by itself; `getOrSet` is the shorter way. `useClone: false` spares a
// structuredClone for each read, as its documentation advises where values are not changed.
import { Cacheable, createKeyv } from 'cacheable'

export const id = 'cacheable'
export const variants = ['getOrSet', 'getOrSet, useClone: false', 'wrap']
export const objectKeys = 'by hand (wrap: derived)'
// Its errors become `undefined` unless throwErrors is set, which is set here.
// Tags go with `set`, not with `wrap`.
export const unsupported = { wrap: ['tags'] }

export async function setup({ variant, ttlMs = 3_600_000, max = 10_000, keyOf, origin, tags }) {
  const useClone = !variant.includes('useClone: false')
  const primary = createKeyv({ ttl: ttlMs, useClone, lruSize: max })
  const cache = new Cacheable({ primary, ttl: ttlMs, tags: tags === true })
  if (tags) {
    const tagged = async (arg) => {
      const found = await cache.get(keyOf(arg))
      if (found !== undefined) return found
      const value = await origin(arg)
      await cache.set(keyOf(arg), value, { ttl: ttlMs, tags: ['bench'] })
      return value
    }
    return { fn: tagged, fill: tagged, cache }
  }
  const wrapped = cache.wrap(origin, { ttl: ttlMs, keyPrefix: 'bench', throwErrors: true })
  const fn =
    variant === 'wrap'
      ? wrapped
      : (arg) => cache.getOrSet(keyOf(arg), () => origin(arg), { ttl: ttlMs, throwErrors: true })
  return { fn, fill: fn, cache }
}

export async function teardown({ cache }) {
  await cache.disconnect()
}
