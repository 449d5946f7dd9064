// `get` is the documented call; `getInMemoryOnly(key) ?? await getAsyncOnly(key)` its documented fast
// path, awaited here as a caller would who does not know whether the value is there.
import { Loader } from 'layered-loader'

export const id = 'layered-loader'
export const variants = ['get', 'in memory first']
export const objectKeys = 'by hand'
export const unsupported = { get: ['tags'], 'in memory first': ['tags'] }

export async function setup({ variant, ttlMs = 3_600_000, max = 10_000, keyOf, origin }) {
  const loader = new Loader({
    inMemoryCache: { cacheType: 'lru-object', ttlInMsecs: ttlMs, maxItems: max },
    dataSources: [{ name: 'origin', get: (arg) => origin(arg) }],
    cacheKeyFromLoadParamsResolver: keyOf,
    throwIfLoadError: true,
  })
  const get = (arg) => loader.get(arg)
  const first = (arg) => loader.getInMemoryOnly(arg) ?? loader.getAsyncOnly(arg)
  return {
    fn: variant === 'get' ? get : first,
    peek: (arg) => loader.getInMemoryOnly(arg),
    fill: get,
  }
}

export async function teardown() {}
