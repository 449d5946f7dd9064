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
  entry('createCache and cached, without lru-cache', 'index.js', '29 kB', {
    import: '{ createCache, cached }',
    ignore: ['lru-cache'],
  }),
  entry("everything of '.', with lru-cache", 'index.js', '36 kB'),
  entry('./redis', 'redis.js', '25 kB', { ignore: ['ioredis', 'opossum'] }),
  entry('./sqlite', 'sqlite.js', '10 kB'),
  entry('./sqlite, its worker', 'sqlite-worker.js', '10 kB'),
  entry('the program', 'cli.js', '32 kB'),
  entry('./keyv', 'keyv.js', '6 kB', { ignore: ['keyv'] }),
  entry('./testing', 'testing.js', '20 kB'),
]
