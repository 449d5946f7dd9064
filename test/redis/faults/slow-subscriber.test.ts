import { describe, expect } from 'vitest'
import { until } from '../servers/until.ts'
import { fault } from './fixture.ts'
import { startService, Truth } from './service.ts'

describe('37: a subscriber that does not keep up', () => {
  fault('37: is cut off by the server, notices, and believes no copy unseen', async (bed) => {
    const server = await bed.server({
      args: ['--client-output-buffer-limit', 'pubsub 100000 50000 1'],
    })
    const proxy = await bed.proxy(server)
    const truth = new Truth()
    const slow = startService(bed, { url: proxy.url, timeout: '50ms' }, truth)
    const writer = startService(bed, { url: server.url }, truth)
    await Promise.all([slow.usable(), writer.usable()])
    for (const id of ['x', 'y']) {
      await writer.store(id, server)
      await slow.get(id)
    }
    const gaps = slow.seen.gaps
    // Nobody reads: the buffers of the system fill, then that of the server.
    proxy.set({ kind: 'pause' }, 'replies')
    const message = 'x'.repeat(200_000)
    await until(
      'the server gives it up',
      async () => {
        await server.cli('PUBLISH', 'rc:{faults}:bus', message)
        return server.logs().includes('overcoming of output buffer limits')
      },
      { withinMs: 20_000, everyMs: 1 },
    )
    // What was invalidated meanwhile it was not told.
    truth.change('x')
    expect(await writer.get.invalidate('x')).toEqual({ durable: true })
    proxy.set({ kind: 'pass' }, 'replies')
    await slow.usable()
    await until('it notices', () => slow.seen.gaps > gaps, { withinMs: 2000 })
    expect(await slow.get('x')).toBe('x@2')
    // Nothing was lost of what did not change: the copy is compared, not loaded again.
    expect((await slow.ask('y')).source).not.toBe('origin')
    expect(truth.callsOf('y')).toBe(1)
    // And the subscription is there again.
    truth.change('y')
    await writer.get.invalidate('y')
    await until('it is told', async () => (await slow.get('y')) === 'y@2', { withinMs: 1500 })
  })

  fault('37: messages of another program on the channel do no harm', async (bed) => {
    const server = await bed.server()
    const truth = new Truth()
    const one = startService(bed, { url: server.url }, truth)
    await one.usable()
    await one.store('x', server)
    for (const junk of ['', 'w', 'x'.repeat(200_000), 'w a b c d', Buffer.from([0, 255, 10])]) {
      expect(await server.cli('PUBLISH', 'rc:{faults}:bus', junk)).toBe(1)
    }
    expect(await one.ask('x')).toMatchObject({ value: 'x@1', source: 'l1' })
    expect(one.errors).toEqual([])
    expect(one.l2().state).toBe('ready')
  })
})
