import { expect, it } from 'vitest'
import { createCache } from '../../../src/index.ts'
import { redis } from '../../../src/redis.ts'
import { startServer } from '../servers/server.ts'

it('what one process sets is found by another, though nobody has loaded anything', async () => {
  const server = await startServer()
  const make = () => createCache({ name: 'shop', ttl: '1m', l2: redis({ url: server.url }) })
  const [here, there] = [make(), make()]
  try {
    await Promise.all([here.ready(), there.ready()])
    expect(await here.set('plain', 1)).toEqual({ durable: true })
    expect(await here.set('tagged', 2, { tags: ['t'] })).toEqual({ durable: true })
    expect(await here.namespace('n').set('inside', 3)).toEqual({ durable: true })
    expect(await there.getMany(['plain', 'tagged'])).toEqual([1, 2])
    expect(await there.namespace('n').get('inside')).toBe(3)
  } finally {
    await Promise.all([here.close(), there.close()])
    await server.stop()
  }
})
