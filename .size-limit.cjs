// What a user downloads and parses, minified and compressed with brotli. A limit is a decision: raise
// it in the change that needs it, and say why.
const forNode = (config) => ({ ...config, platform: 'node', format: 'esm' })

const entry = (name, path, limit, more) => ({
  name,
  path: `dist/${path}`,
  limit,
  modifyEsbuildConfig: forNode,
  ...more,
})

module.exports = [
  // Batches, leases, journal and revalidation are the same whatever L2 is; a cached function takes the
  // options of a guard, and so of breaker, limits and retry.
  entry('createCache and cached, without lru-cache', 'index.js', '64 kB', {
    import: '{ createCache, cached }',
    ignore: ['lru-cache'],
  }),
  entry("everything of '.', with lru-cache", 'index.js', '80 kB'),
  entry('./redis', 'redis.js', '34 kB', { ignore: ['ioredis', 'opossum'] }),
  entry('./sqlite', 'sqlite.js', '10 kB'),
  entry('./sqlite, its worker', 'sqlite-worker.js', '10 kB'),
  entry('the program', 'cli.js', '32 kB'),
  entry('./keyv', 'keyv.js', '6 kB', { ignore: ['keyv'] }),
  entry('./bottleneck', 'bottleneck.js', '12 kB', { ignore: ['bottleneck'] }),
  entry('./dataloader', 'dataloader.js', '6 kB'),
  entry('./express', 'express.js', '6 kB'),
  // Streams are kept in a cache, whose code is shared with '.'.
  entry('./llm', 'llm.js', '100 kB', { ignore: ['lru-cache'] }),
  // The simulation runs whole caches over a simulated Redis; the loopback providers know the rules of
  // two APIs and the table of models.
  entry('./testing', 'testing.js', '116 kB'),
]
