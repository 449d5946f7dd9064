import type { ErrorRequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { type RateLimitOptions, rateLimit } from '../../src/adapters/express/rate-limit.ts'
import type { Permit, PermitSource } from '../../src/contracts/permit.ts'
import { concurrency, perMinute } from '../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { each, refusals } from '../misuse/refusals.ts'
import { serve } from './app.ts'

/** Grants so many, then refuses. */
function granting(count: number, retryAfterMs = 1500) {
  const log: unknown[] = []
  let left = count
  const permit: Permit = {
    ok: true,
    settle: () => log.push('settle'),
    release: () => log.push('release'),
    [Symbol.dispose]: () => log.push('dispose'),
  }
  const source: PermitSource = {
    tryAcquire(cost) {
      log.push(cost)
      return left-- > 0 ? permit : { ok: false, retryAfterMs }
    },
    acquire: () => Promise.reject(new Error('a request never waits')),
  }
  return { source, log }
}

const app = (options: RateLimitOptions) =>
  serve((server) => {
    server.use(rateLimit(options))
    server.get('/{*path}', (_request, response) => {
      response.send('ok')
    })
    const handler: ErrorRequestHandler = (error, _request, response, _next) => {
      response.status(500).send(String(error))
    }
    server.use(handler)
  })

describe('rateLimit', () => {
  it('answers 429 with the time in whole seconds, rounded up', async () => {
    const url = await app({ limiter: granting(1).source })
    expect((await fetch(url)).status).toBe(200)
    const refused = await fetch(url)
    expect([
      refused.status,
      refused.headers.get('retry-after'),
      refused.headers.get('ratelimit'),
      await refused.json(),
    ]).toEqual([
      429,
      '2',
      '"default";r=0;t=2',
      {
        code: 'ERR_RATE_LIMITED',
        message: 'Too many requests: try again after the time in Retry-After',
        retryAfterMs: 1500,
      },
    ])
  })

  it('says at least one second, and nothing where it never fits', async () => {
    const soon = await fetch(await app({ limiter: granting(0, 5).source, name: 'per-client' }))
    expect(soon.headers.get('retry-after')).toBe('1')
    expect(soon.headers.get('ratelimit')).toBe('"per-client";r=0;t=1')
    const never = await fetch(await app({ limiter: granting(0, Infinity).source }))
    expect([never.status, never.headers.get('retry-after')]).toEqual([429, null])
    expect(await never.json()).toMatchObject({ retryAfterMs: null })
  })

  it('takes the cost of the request, and gives the permit back when the response is over', async () => {
    const { source, log } = granting(1)
    const url = await app({ limiter: source, cost: (request) => Number(request.query.size) })
    await (await fetch(`${url}/?size=7`)).text()
    await expect.poll(() => log).toEqual([7, 'release'])
  })

  it('works with a rateLimiter(), which is a function too', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { requests: perMinute(2) }, clock })
    const url = await app({ limiter })
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await fetch(url)).status)
    expect(statuses).toEqual([200, 200, 429])
    await clock.advance('30s')
    expect((await fetch(url)).status).toBe(200)
  })

  it('holds a place until the response is over, also when the client goes away', async () => {
    const limiter = rateLimiter({ limits: { inFlight: concurrency(1) } })
    let entered = (): void => {}
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    const url = await serve((server) => {
      server.use(rateLimit({ limiter }))
      server.get('/slow', () => entered())
      server.get('/fast', (_request, response) => {
        response.send('ok')
      })
    })
    const controller = new AbortController()
    const slow = fetch(`${url}/slow`, { signal: controller.signal }).catch(() => 'gone')
    await inside
    expect((await fetch(`${url}/fast`)).status).toBe(429)
    controller.abort()
    expect(await slow).toBe('gone')
    await expect.poll(async () => (await fetch(`${url}/fast`)).status).toBe(200)
  })

  it('makes one limiter for each key, keeps those seen last, and lets through without a key', async () => {
    const made: string[] = []
    const url = await app({
      limiter: (request) => {
        made.push(request.path)
        return granting(1).source
      },
      key: (request) => (request.path === '/open' ? undefined : request.path),
      maxKeys: 2,
    })
    const statuses = []
    for (const path of ['/a', '/b', '/a', '/b', '/open', '/open', '/a', '/c', '/b']) {
      statuses.push((await fetch(url + path)).status)
    }
    // '/c' pushes out '/b', the one seen longest ago.
    expect(statuses).toEqual([200, 200, 429, 429, 200, 200, 429, 200, 200])
    expect(made).toEqual(['/a', '/b', '/c', '/b'])
  })

  it('asks a function without a key for each request', async () => {
    const strict = granting(0).source
    const kind = granting(9).source
    const url = await app({ limiter: (request) => (request.path === '/strict' ? strict : kind) })
    expect((await fetch(`${url}/strict`)).status).toBe(429)
    expect((await fetch(`${url}/other`)).status).toBe(200)
  })

  it('hands what its functions throw to the error handler', async () => {
    const url = await app({
      limiter: () => {
        throw new Error('no such plan')
      },
    })
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([500, 'Error: no such plan'])
  })

  it('takes no promise for a key, which would be a new budget for each request', async () => {
    for (const key of [
      async () => 'same',
      () => Promise.reject(new Error('no session')),
      () => null,
    ]) {
      const url = await app({ limiter: () => granting(1).source, key: key as never })
      const answer = await fetch(url)
      expect([answer.status, await answer.text()]).toEqual([
        500,
        expect.stringContaining('key must give text or undefined, at once'),
      ])
    }
  })

  it('hands what key and cost throw to the error handler, and takes no permit', async () => {
    const fail = () => {
      throw new Error('no session')
    }
    const { source, log } = granting(1)
    for (const options of [
      { limiter: () => source, key: fail },
      { limiter: source, cost: fail },
    ]) {
      expect((await fetch(await app(options))).status).toBe(500)
    }
    expect(log).toEqual([])
  })

  it('gives a permit back that is taken when its client has gone already', async () => {
    const { source, log } = granting(1)
    const controller = new AbortController()
    let over = (): void => {}
    const passed = new Promise<void>((resolve) => {
      over = resolve
    })
    const url = await serve((server) => {
      server.use((_request, response, next) => {
        response.on('close', () => setTimeout(next, 5))
        controller.abort()
      })
      server.use(rateLimit({ limiter: source }))
      server.use(() => over())
    })
    await expect(fetch(url, { signal: controller.signal })).rejects.toThrow()
    await passed
    expect(log).toEqual([undefined, 'release'])
  })

  it('refuses wrong options with the remedy', async () => {
    const { source } = granting(1)
    const option = (name: string, values: readonly unknown[]) =>
      each(name, values, (value) => rateLimit({ limiter: source, [name]: value }))
    expect(
      await refusals({
        ...each('options', [null, {}, { limit: 5 }, { limiter: 60 }], (value) => rateLimit(value)),
        ...option('key', ['ip', () => 'k']),
        ...option('cost', [5]),
        ...option('maxKeys', [0]),
        ...option('name', ['two words', 5]),
      }),
    ).toMatchInlineSnapshot(`
      "
      options: null
          rateLimit() takes an options object, got null
      options: {}
          limiter must be a rateLimiter() or a function that gives one, got undefined
      options: {"limit":5}
          unknown option of rateLimit(): 'limit'; did you mean 'limiter'?
      options: {"limiter":60}
          limiter must be a rateLimiter() or a function that gives one, got a number
      key: "ip"
          key must be a function, got text
      key: function
          key needs a function as limiter, which makes one for each key: () => rateLimiter({ … })
      cost: 5
          cost must be a function, got a number
      maxKeys: 0
          maxKeys must be a whole number ≥ 1, got 0
      name: "two words"
          name must be letters, digits, - and _; got text
      name: 5
          name must be letters, digits, - and _; got a number
      "
    `)
  })
})
