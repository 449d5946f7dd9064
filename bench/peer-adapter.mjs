// Lets other harnesses drive this library beside others. Every adapter has this shape:
//
//   id        name of the library
//   variants  list of names for `setup`'s `variant`; the first is what the documentation shows first
//   setup({ variant, layers, ttlMs, max, argKind, origin, redis, prefix, metricsRun }) → handle
//     layers      ['L1'], or ['L1', 'L2']                                       default ['L1']
//     ttlMs, max  of an entry, of entries in L1                                 default 1 h, 10,000
//     argKind     'string' or 'object': what the one argument will be           default 'string'
//     origin      async (arg) => value
//     redis       { host, port } for an L2 where this build has one for Redis
//     prefix      namespace of the keys in L2                                   default 'bench'
//     metricsRun  true: metrics, tags and grace are switched on
//   handle    { fn, wrapped, peek, l2Kind, cache, variant }
//     fn(arg)     what a user calls; `wrapped` is the same function
//     peek(arg)   synchronous look into L1, `undefined` where the library has none
//     l2Kind      'none', 'redis', 'memory': what stands behind L1 in fact
//   ops       { hit, peek, invalidate, many, stats, originCalls }: operations on a handle
//   teardown(handle)
//
// It runs the built package: dist, or the folder named by RESILIENT_CACHE_DIST.
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const id = '@org/resilient-cache'
export const variants = ['default', 'tags']
/** Of this library the argument is the key; of others the caller makes it. */
export const objectKeys = 'derived'

export async function setup({
  variant = 'default',
  layers = ['L1'],
  ttlMs = 3_600_000,
  max = 10_000,
  origin,
  redis,
  prefix = 'bench',
  metricsRun = false,
}) {
  const { createCache, memory } = await load('index.js')
  const l2 = layers.includes('L2') ? await openL2(redis, memory) : { kind: 'none', store: false }
  const everything = metricsRun || variant === 'tags'
  const cache = createCache({
    name: prefix,
    ttl: ttlMs,
    l1: layers.includes('L1') ? { maxEntries: max } : false,
    l2: l2.store,
    ...(everything && { grace: ttlMs, metrics: { observeCache() {} } }),
  })
  const options = everything ? { name: 'origin', tags: () => ['bench'] } : { name: 'origin' }
  const fn = cache.cached(async (arg) => origin(arg), options)
  if (l2.kind !== 'none') await cache.ready({ timeout: '10s' })
  return { fn, wrapped: fn, peek: fn.peek, l2Kind: l2.kind, cache, variant }
}

export const ops = {
  hit: (handle, arg) => handle.fn(arg),
  peek: (handle, arg) => handle.fn.peek(arg),
  invalidate: (handle, arg) => handle.fn.invalidate(arg),
  many: (handle, args) => handle.fn.many(args.map((arg) => [arg])),
  stats: (handle) => handle.fn.stats(),
  originCalls: (handle) => handle.fn.stats().originCalls,
}

export async function teardown(handle) {
  await handle.cache.close()
}

async function openL2(redis, memory) {
  if (redis && existsSync(built('redis.js'))) {
    const { host, port } = redis
    const library = await load('redis.js')
    return { kind: 'redis', store: library.redis({ url: `redis://${host}:${port}` }) }
  }
  return { kind: 'memory', store: memory() }
}

function built(file) {
  const folder = process.env.RESILIENT_CACHE_DIST
  return folder ? `${folder}/${file}` : fileURLToPath(new URL(`../dist/${file}`, import.meta.url))
}

async function load(file) {
  const path = built(file)
  if (!existsSync(path)) throw new Error(`${path} is not there: run \`npm run build\` first`)
  return import(pathToFileURL(path).href)
}
