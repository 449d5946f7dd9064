import { EventEmitter } from 'node:events'
import Keyv from 'keyv'
import { describe, expect, it } from 'vitest'
import { isResilienceError } from '../../src/kernel/errors.ts'
import { keyv } from '../../src/keyv.ts'
import { openStore, put, textOf } from './store-session.ts'

/** A backend that can be broken, with events as the adapters of Keyv have them. */
class Backend extends EventEmitter {
  readonly map = new Map<string, unknown>()
  broken = false

  async get(key: string) {
    this.#check()
    return this.map.get(key)
  }

  async set(key: string, value: unknown) {
    this.#check()
    this.map.set(key, value)
    return true
  }

  async delete(key: string) {
    this.#check()
    return this.map.delete(key)
  }

  async clear() {
    this.map.clear()
  }

  #check() {
    if (this.broken) throw new Error('connection lost')
  }
}

const unavailable = expect.objectContaining({ code: 'ERR_L2_UNAVAILABLE' })

describe('keyv', () => {
  it('refuses what is no Keyv', () => {
    for (const wrong of [undefined, null, 'redis://', {}, { get() {}, set() {} }]) {
      expect(() => keyv(wrong as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
      )
    }
  })

  it('does not show the URL with a password that somebody took for a Keyv', () => {
    expect(() => keyv('redis://app:hunter2@host:6379' as never)).toThrow(/got text$/)
  })

  it.each(['get', 'set', 'delete', 'stamp', 'probe'] as const)(
    'rejects a failing %s of a Keyv that others listen to as well',
    async (name) => {
      const backend = new Backend()
      const instance = new Keyv({ store: backend })
      instance.on('error', () => {})
      const { session, clock } = openStore(keyv(instance))
      await put(session, clock, 'k', 'v')
      backend.broken = true
      const operations = {
        get: () => session.read({ keys: ['k'], tags: [] }),
        set: () => put(session, clock, 'k', 'w'),
        delete: () => session.delete(['k']),
        stamp: () => session.stamp(['t'], 'hard'),
        probe: () => session.probe(),
      }
      await expect(operations[name]()).rejects.toEqual(unavailable)
      backend.broken = false
      expect(await textOf(session, 'k')).toBe('v')
      await session.close()
    },
  )

  it('survives a connection that drops between operations, and says so until it works again', async () => {
    const backend = new Backend()
    const { session, states } = openStore(keyv(new Keyv({ store: backend })))
    backend.emit('error', new Error('ECONNRESET'))
    expect(states.at(-1)).toMatchObject({ state: 'suspect', error: { code: 'ERR_L2_UNAVAILABLE' } })
    await session.probe()
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'client' })
    await session.close()
  })

  it('stops listening when it is closed', async () => {
    const instance = new Keyv({ store: new Backend() })
    const before = instance.listeners('error').length
    const { session } = openStore(keyv(instance))
    expect(instance.listeners('error').length).toBe(before + 1)
    await session.close()
    expect(instance.listeners('error').length).toBe(before)
  })

  it('takes a set that the backend refuses for a failure', async () => {
    const backend = new Backend()
    backend.set = async () => false as never
    const { session, clock } = openStore(keyv(backend))
    await expect(put(session, clock, 'k', 'v')).rejects.toEqual(unavailable)
  })

  it.each(['text', 42, { some: 'object' }, 'rc1e 1 2', 'rc1e x 2 3 AAAA', null])(
    'reads %j of another program as a miss',
    async (foreign) => {
      const instance = new Keyv()
      const { session, clock } = openStore(keyv(instance))
      await put(session, clock, 'k', 'v')
      await instance.set('entry:k', foreign)
      expect(await textOf(session, 'k')).toBeUndefined()
    },
  )

  it('hands its time limit to the backend in the form that it takes', async () => {
    const limits: [string, number | undefined][] = []
    const recording = (capabilities?: { expires: boolean }) => ({
      get: async () => undefined,
      set: async (key: string, _: string, limit?: number) => {
        limits.push([key, limit])
        return true
      },
      delete: async () => true,
      ...(capabilities && { capabilities }),
    })
    const relative = openStore(keyv(recording()))
    await put(relative.session, relative.clock, 'k', 'v')
    expect(limits.find(([key]) => key === 'entry:k')?.[1]).toBe(60_000)
    expect(limits.find(([key]) => key.startsWith('sequence:'))?.[1]).toBeUndefined()
    limits.length = 0
    const absolute = openStore(keyv(recording({ expires: true })))
    await put(absolute.session, absolute.clock, 'k', 'v')
    expect(limits.find(([key]) => key === 'entry:k')?.[1]).toBe(absolute.clock.wall() + 60_000)
  })

  it('makes entries stale whose stamp was evicted', async () => {
    const instance = new Keyv()
    const { session, clock } = openStore(keyv(instance))
    const before = await session.read({ keys: ['k'], tags: ['t'] })
    await put(session, clock, 'k', 'v')
    await instance.delete('stamp:space:t')
    const after = await session.read({ keys: ['k'], tags: ['t'] })
    expect(after.stamps[0]?.hard).toBeGreaterThan(before.sequence)
  })

  it('begins a new epoch when its sequence is gone', async () => {
    const instance = new Keyv()
    const { session, clock } = openStore(keyv(instance))
    const { sequence, epoch } = await session.read({ keys: [], tags: [] })
    await instance.clear()
    const fence = { sequence, epoch, tags: [] }
    const reply = await session.write({
      key: 'k',
      bytes: Buffer.from('v'),
      freshUntil: clock.wall() + 1000,
      keepUntil: clock.wall() + 1000,
      fence,
    })
    expect(reply).toEqual({ stored: false, reason: 'epoch-changed' })
  })

  it('does not go back when the clock does', async () => {
    const { session, clock } = openStore(keyv(new Keyv()))
    const first = await put(session, clock, 'k', 'v')
    const wall = clock.wall()
    clock.wall = () => wall - 60_000
    const second = await put(session, clock, 'k', 'v')
    expect(first.stored && second.stored && second.version > first.version).toBe(true)
  })

  it('bounds what waits behind a backend that hangs', async () => {
    const { session, clock } = openStore(
      keyv({ get: () => new Promise(() => {}), set: async () => true, delete: async () => true }),
    )
    for (let at = 0; at < 1000; at++) void put(session, clock, `k${at}`, 'v')
    const error = await put(session, clock, 'one more', 'v').catch((error: unknown) => error)
    expect(isResilienceError(error, 'ERR_L2_UNAVAILABLE')).toBe(true)
  })
})
