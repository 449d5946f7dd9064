import { describe, expect, it } from 'vitest'
import { concurrency, perMinute, perSecond } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { each, refusals, SECRET } from '../../misuse/refusals.ts'

const limits = { requests: perSecond(1) }
const client = { eval: async () => [], evalsha: async () => [] }
const make = (options: object) => rateLimiter({ limits, ...options })

describe('a wrong program', () => {
  it('is told what is wrong with a limit', async () => {
    expect(
      await refusals({
        ...each('perSecond', [0, -1, Number.NaN, Infinity, '5', undefined], perSecond),
        ...each('burst', [0, '5', null], (burst) => perMinute(5, { burst })),
        'options of perMinute': () => perMinute(5, { brust: 5 } as object),
        'no options': () => perMinute(5, null as never),
        ...each('concurrency', [0, 1.5, '5', undefined], concurrency),
      }),
    ).toMatchInlineSnapshot(`
      "
      perSecond: 0
          perSecond(n) must be a number > 0, got 0
      perSecond: -1
          perSecond(n) must be a number > 0, got -1
      perSecond: "NaN"
          perSecond(n) must be a number > 0, got NaN
      perSecond: "Infinity"
          perSecond(n) must be a number > 0, got Infinity
      perSecond: "5"
          perSecond(n) must be a number > 0, got '5'
      perSecond: undefined
          perSecond(n) must be a number > 0, got undefined
      burst: 0
          burst of perMinute must be a number > 0, got 0
      burst: "5"
          burst of perMinute must be a number > 0, got '5'
      burst: null
          burst of perMinute must be a number > 0, got null
      options of perMinute
          unknown option of perMinute(n, options): 'brust'; did you mean 'burst'?
      no options
          perMinute(n, options) takes an options object, got null
      concurrency: 0
          concurrency(n) must be a whole number ≥ 1, got 0
      concurrency: 1.5
          concurrency(n) must be a whole number ≥ 1, got 1.5
      concurrency: "5"
          concurrency(n) must be a whole number ≥ 1, got '5'
      concurrency: undefined
          concurrency(n) needs its number
      "
    `)
  })

  it('is told what is wrong with an option', async () => {
    expect(
      await refusals({
        'no options': () => rateLimiter(undefined as never),
        unknown: () => make({ limit: limits }),
        ...each('limits', [undefined, {}, 5, { requests: SECRET }, { requests: null }], (value) =>
          rateLimiter({ limits: value }),
        ),
        ...each('name', ['', 5], (name) => make({ name })),
        ...each('maxPause', [-1, SECRET.slice(0, 3)], (maxPause) => make({ maxPause })),
        ...each('random', [5], (random) => make({ random })),
        ...each('queue', [5, { maxx: 1 }, { max: -1 }, { max: 1.5 }], (queue) => make({ queue })),
        ...each(
          'queue',
          [{ overflow: 'drop' }, { order: 'fair' }, { ageing: 0 }, { maxWait: '1 hour' }],
          (queue) => make({ queue }),
        ),
      }),
    ).toMatchInlineSnapshot(`
      "
      no options
          rateLimiter takes an options object, got undefined
      unknown
          unknown option of rateLimiter: 'limit'; did you mean 'limits'?
      limits: undefined
          limits must name at least one limit, as in { requests: perSecond(10) }; got undefined
      limits: {}
          limits must name at least one limit, as in { requests: perSecond(10) }; got an object
      limits: 5
          limits must name at least one limit, as in { requests: perSecond(10) }; got 5
      limits: {"requests":"hunter2"}
          limits.requests must be made by perSecond, perMinute or concurrency, got text
      limits: {"requests":null}
          limits.requests must be made by perSecond, perMinute or concurrency, got null
      name: ""
          name of rateLimiter must be text, got ''
      name: 5
          name of rateLimiter must be text, got 5
      maxPause: -1
          maxPause must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got -1
      maxPause: "hun"
          maxPause must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'hun'
      random: 5
          random must be a function, got a number
      queue: 5
          queue takes an options object, got a number
      queue: {"maxx":1}
          unknown option of queue: 'maxx'; did you mean 'max'?
      queue: {"max":-1}
          queue.max must be a whole number ≥ 1, got -1
      queue: {"max":1.5}
          queue.max must be a whole number ≥ 1, got 1.5
      queue: {"overflow":"drop"}
          queue.overflow has no such choice: 'drop'; known are reject, drop-oldest, drop-lowest
      queue: {"order":"fair"}
          queue.order has no such choice: 'fair'; known are priority, fifo
      queue: {"ageing":0}
          queue.ageing must be more than 0
      queue: {"maxWait":"1 hour"}
          queue.maxWait must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got '1 hour'
      "
    `)
  })

  it('is told what is wrong with sharing', async () => {
    const share = (distributed: unknown) => make({ name: 'api', distributed })
    expect(
      await refusals({
        'no name': () => make({ distributed: { redis: client } }),
        ...each('redis', [undefined, `redis://:${SECRET}@host`, {}], (redis) => share({ redis })),
        ...each('instances', [0, 2.5, Infinity], (instances) =>
          share({ redis: client, instances }),
        ),
        ...each('whenDown', ['local', true], (whenDown) => share({ redis: client, whenDown })),
        ...each('prefix', [5], (prefix) => share({ redis: client, prefix })),
        unknown: () => share({ redis: client, leaseMs: 5 }),
      }),
    ).toMatchInlineSnapshot(`
      "
      no name
          a distributed rateLimiter needs a name: it is what the processes share
      redis: undefined
          distributed.redis must be a client of ioredis, got undefined
      redis: "redis://:hunter2@host"
          distributed.redis must be a client of ioredis, got text
      redis: {}
          distributed.redis must be a client of ioredis, got an object
      instances: 0
          distributed.instances must be a whole number ≥ 1, got 0
      instances: 2.5
          distributed.instances must be a whole number ≥ 1, got 2.5
      instances: "Infinity"
          distributed.instances must be a number from 1 to 1000000, got Infinity
      whenDown: "local"
          distributed.whenDown has no such choice: 'local'; known are local-share, open, closed
      whenDown: true
          distributed.whenDown must be one of local-share, open, closed; got true
      prefix: 5
          distributed.prefix must be text, got a number
      unknown
          unknown option of distributed: 'leaseMs'; known are redis, instances, whenDown, prefix
      "
    `)
  })
})
