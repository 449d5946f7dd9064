import { describe, expect, it } from 'vitest'
import { EPOCH, names, openReady } from './scripted-transport.ts'

const message = (number: number, epoch = EPOCH): string => `w 64 ${epoch} ${number} other\nk`

describe('what a session has missed', () => {
  it('is found out by one question a second, while nothing is said', async () => {
    const { transport, clock, messages } = await openReady()
    transport.take()
    await clock.advance('10s')
    const beats = transport.take()
    expect(beats.length).toBeGreaterThanOrEqual(10)
    expect(beats.length).toBeLessThanOrEqual(11)
    expect(beats.every(({ commands }) => names(commands).join() === 'HMGET')).toBe(true)
    expect(messages).toEqual([])
  })

  it('is lost within 1.3 s if its messages never come, and once', async () => {
    const { transport, clock, messages } = await openReady()
    transport.number = 12
    await clock.advance(1300)
    expect(messages).toEqual([{ kind: 'lost' }])
    await clock.advance('5s')
    expect(messages).toHaveLength(1)
  })

  it('is not lost if the messages come within 250 ms of the question', async () => {
    const { transport, clock, messages } = await openReady()
    transport.number = 12
    while (transport.take().length === 0) await clock.advance(10)
    await clock.advance(200)
    transport.publish(message(11))
    transport.publish(message(12))
    await clock.advance('5s')
    expect(messages.map(({ kind }) => kind)).toEqual(['write', 'write'])
  })

  it('is everything when the server has another epoch, by heartbeat or by any read', async () => {
    const { session, transport, clock, messages } = await openReady()
    transport.epoch = 5
    await clock.advance(1000)
    expect(messages).toEqual([{ kind: 'lost' }])
    transport.epoch = 6
    await session.read({ keys: ['k'], tags: [] })
    expect(messages).toHaveLength(2)
    await clock.advance('5s')
    expect(messages).toHaveLength(2)
  })

  it('is everything when the sequence is gone, and again when there is another', async () => {
    const { transport, clock, messages } = await openReady()
    transport.answer = ([name]) => (name === 'HMGET' ? [null, null] : undefined)
    await clock.advance('5s')
    expect(messages).toEqual([{ kind: 'lost' }])
    transport.answer = () => undefined
    transport.epoch = 5
    await clock.advance('5s')
    expect(messages).toHaveLength(2)
  })

  it('is everything when the subscription was lost, from then on counted anew', async () => {
    const { transport, clock, messages } = await openReady()
    transport.number = 15
    transport.events.onSubscribed()
    expect(messages).toEqual([{ kind: 'lost' }])
    await clock.advance(0)
    transport.publish(message(16))
    transport.number = 16
    await clock.advance('5s')
    expect(messages.map(({ kind }) => kind)).toEqual(['lost', 'write'])
  })

  it('is found out where it was said before the first subscription began', async () => {
    const { transport, clock, messages } = await openReady({}, (transport) => {
      const { subscribe } = transport
      transport.subscribe = (channels) => {
        subscribe.call(transport, channels)
        queueMicrotask(() => {
          transport.number = 11
        })
      }
    })
    transport.number = 12
    await clock.advance(1300)
    expect(messages).toEqual([{ kind: 'lost' }])
  })

  it('is no concern while the server cannot be asked', async () => {
    const { transport, clock, messages } = await openReady()
    transport.fail = () => new Error('connection lost')
    await clock.advance('5s')
    expect(messages).toEqual([])
    transport.fail = () => undefined
    transport.number = 11
    await clock.advance(1300)
    expect(messages).toEqual([{ kind: 'lost' }])
  })

  it('is not asked for while there is no connection', async () => {
    const { transport, clock } = await openReady()
    transport.events.onState({ state: 'down', source: 'none' })
    await clock.advance('5s')
    expect(transport.take()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is asked for by processes at different times', async () => {
    const { transport, clock } = await openReady()
    const at: number[] = []
    const { send } = transport
    transport.send = (node, commands) => {
      at.push(clock.now())
      return send.call(transport, node, commands)
    }
    await clock.advance('10s')
    const gaps = at.slice(1).map((instant, index) => instant - (at[index] as number))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1000)
    expect(new Set(gaps).size).toBeGreaterThan(3)
  })

  it('never is what a listener throws', async () => {
    const { transport, messages } = await openReady()
    messages.push = () => {
      throw new Error('of the listener')
    }
    expect(() => transport.publish(message(11))).not.toThrow()
    expect(() => transport.publish('nonsense')).not.toThrow()
  })
})
