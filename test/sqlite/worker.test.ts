import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder, put, textOf } from './open-file.ts'

let folder: Folder
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => folder.remove())

describe('the size of the file', () => {
  it('stays below maxBytes; what was used longest ago goes, and is counted', async () => {
    const maxBytes = 1024 ** 2
    const { session } = await folder.open({ maxBytes, timeout: 5000 })
    const value = new Uint8Array(4000).fill(1)
    for (let batch = 0; batch < 40; batch++) {
      await Promise.all(
        Array.from({ length: 25 }, (_, at) => put(session, `k${batch * 25 + at}`, value)),
      )
      expect(statSync(folder.file()).size).toBeLessThanOrEqual(maxBytes)
    }
    const read = async (from: number) =>
      (
        await session.read({
          keys: Array.from({ length: 25 }, (_, at) => `k${from + at}`),
          tags: [],
        })
      ).records.filter((record) => record !== undefined).length
    expect(await read(975)).toBe(25)
    expect(await read(0)).toBe(0)
    expect(session.counters().evicted).toBeGreaterThan(500)
  })

  it('makes room at once for a burst that does not fit', async () => {
    const { session } = await folder.open({ maxBytes: '512kb', timeout: 5000 })
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, at) => put(session, `k${at}`, new Uint8Array(6000))),
    )
    expect(replies.every(({ stored }) => stored)).toBe(true)
    expect(await session.read({ keys: ['k199'], tags: [] })).toMatchObject({
      records: [{ bytes: new Uint8Array(6000) }],
    })
    expect(statSync(folder.file()).size).toBeLessThanOrEqual(512 * 1024)
  })

  it('shrinks to a lower bound than it was made with', async () => {
    const first = await folder.open({ maxBytes: '4mb', timeout: 5000 })
    for (let at = 0; at < 300; at++) await put(first.session, `k${at}`, new Uint8Array(8000))
    await first.session.close()
    const { session } = await folder.open({ maxBytes: '1mb', timeout: 5000 })
    for (let at = 0; at < 60; at++) await put(session, `n${at}`, new Uint8Array(100))
    await session.close()
    expect(statSync(folder.file()).size).toBeLessThanOrEqual(1024 ** 2)
  })

  it('refuses a value that would push out most of the others, and goes on serving', async () => {
    const { session, states } = await folder.open({ maxBytes: '256kb' })
    await put(session, 'k', 'small')
    const reply = await put(session, 'k', new Uint8Array(100_000))
    expect(reply).toEqual({ stored: false, reason: 'too-large' })
    expect(await textOf(session, 'k')).toBe('small')
    expect(states).toMatchObject([{ state: 'ready' }])
    await session.close()
    await expect(put(session, 'k', new Uint8Array(100_000))).rejects.toMatchObject({
      code: 'ERR_CLOSED',
    })
  })
})

describe('a lock that another process holds too long', () => {
  it('delays no read, fails writes and leases in time, and passes', async () => {
    const { session } = await folder.open({ timeout: 100 })
    await put(session, 'k', 'v')
    const db = new DatabaseSync(folder.file())
    db.exec('BEGIN IMMEDIATE')
    const lease = { token: 't', ms: 1000, when: 'stale' } as const
    const results = await Promise.allSettled([
      textOf(session, 'k'),
      session.read({ keys: ['k'], tags: [], lease }),
      put(session, 'k', 'w'),
      session.read({ keys: ['missing'], tags: [], lease }),
      textOf(session, 'k'),
    ])
    db.exec('ROLLBACK')
    db.close()
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    expect((results[2] as PromiseRejectedResult).reason).toMatchObject({
      code: 'ERR_L2_UNAVAILABLE',
      message: expect.stringMatching(/locked/),
    })
    await put(session, 'k', 'w')
    expect(await textOf(session, 'k')).toBe('w')
  })
})

describe('one path in one process', () => {
  it('is one thread for all its sessions, which leaves with the last', async () => {
    const first = await folder.open()
    const second = await folder.open()
    expect(second.states).toMatchObject([{ state: 'ready' }])
    await put(first.session, 'k', 'v')
    await first.session.close()
    expect(await textOf(second.session, 'k')).toBe('v')
    await second.session.close()
    const third = await folder.open()
    expect(await textOf(third.session, 'k')).toBe('v')
  })
})
