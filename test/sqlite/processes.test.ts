import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ended, said, startChild } from './child-process.ts'
import { Folder, put, textOf } from './open-file.ts'

let folder: Folder
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => folder.remove())

const clean = { code: 0, err: '' }

describe('several processes on one file', () => {
  it('begin it together, write together, and lose nothing', async () => {
    const children = [0, 1, 2].map((id) =>
      startChild(
        folder.file(),
        `const { session, state } = await open()
         if (state.state !== 'ready') throw state.error
         for (let at = 0; at < 150; at++) {
           await Promise.all([put(session, 'own-${id}-' + at, 'v' + at), put(session, 'shared', '${id}')])
           const { records } = await session.read({ keys: ['own-${id}-' + at], tags: [] })
           if (Buffer.from(records[0].bytes).toString() !== 'v' + at) throw new Error('lost a write')
         }
         await session.close()`,
      ),
    )
    const results = await Promise.all(children.map(ended))
    expect(results).toMatchObject([clean, clean, clean])
    const { session } = await folder.open()
    const keys = [0, 1, 2].flatMap((id) =>
      Array.from({ length: 150 }, (_, at) => `own-${id}-${at}`),
    )
    const { records, sequence } = await session.read({ keys, tags: [] })
    expect(records.filter((record) => record === undefined)).toEqual([])
    expect(sequence).toBe(3 * 150 * 2)
    expect(new Set(records.map((record) => record?.version)).size).toBe(450)
  })

  it('respect the leases and stamps of each other', async () => {
    const { session } = await folder.open()
    const lease = { token: 'parent', ms: 60_000, when: 'stale' } as const
    const { leases, sequence, epoch } = await session.read({ keys: ['k'], tags: ['t'], lease })
    expect(leases).toEqual(['granted'])
    const child = startChild(
      folder.file(),
      `const { session } = await open()
       const lease = { token: 'child', ms: 1000, when: 'stale' }
       const { leases } = await session.read({ keys: ['k'], tags: [], lease })
       await session.stamp(['t'], 'hard')
       say(leases.join())
       await session.close()`,
    )
    expect(await ended(child)).toMatchObject({ ...clean, out: 'held\n' })
    const fence = { token: 'parent', sequence, epoch, tags: ['t'] }
    const until = Date.now() + 1000
    expect(
      await session.write({
        key: 'k',
        bytes: new Uint8Array(1),
        freshUntil: until,
        keepUntil: until,
        fence,
      }),
    ).toEqual({ stored: false, reason: 'tag-changed' })
  })

  it('survive one that is killed while it writes', async () => {
    const { session } = await folder.open()
    for (let round = 0; round < 3; round++) {
      const child = startChild(
        folder.file(),
        `const { session } = await open()
         for (let at = 0; ; at++) {
           await Promise.all([0, 1, 2, 3].map((n) => put(session, 'k' + ((at * 4 + n) % 500), 'x'.repeat(3000))))
           if (at === 20) say('writing')
         }`,
      )
      const end = ended(child)
      await said(child, 'writing')
      child.kill('SIGKILL')
      await end
      await put(session, 'mine', `round ${round}`)
      expect(await textOf(session, 'mine')).toBe(`round ${round}`)
    }
    await session.close()
    const db = new DatabaseSync(folder.file())
    expect(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {})).toEqual(['ok'])
    db.close()
    expect(readdirSync(folder.path)).toEqual(['cache.db'])
  })

  it('move a corrupt file aside once', async () => {
    const { session } = await folder.open()
    for (let at = 0; at < 50; at++) await put(session, `k${at}`, 'x'.repeat(1000))
    await session.close()
    const bytes = readFileSync(folder.file())
    bytes.fill(0xa5, 4096 * 3, 4096 * 12)
    writeFileSync(folder.file(), bytes)
    const children = [0, 1, 2].map((id) =>
      startChild(
        folder.file(),
        `const { session, state } = await open()
         if (state.state !== 'ready') throw state.error
         await put(session, 'from-${id}', 'x')
         say(String(session.counters().movedAside))
         await session.close()`,
      ),
    )
    const results = await Promise.all(children.map(ended))
    expect(results).toMatchObject([clean, clean, clean])
    expect(results.map(({ out }) => out.trim()).sort()).toEqual(['0', '0', '1'])
    // Its -wal and -shm, where there are any, go with it.
    const aside = readdirSync(folder.path).filter((name) => /corrupt.*(?<!-wal|-shm)$/.test(name))
    expect(aside).toHaveLength(1)
    const again = await folder.open()
    for (const id of [0, 1, 2]) expect(await textOf(again.session, `from-${id}`)).toBe('x')
  })
})

describe('the process', () => {
  it('ends by itself while the store is open and idle, without a warning', async () => {
    const child = startChild(
      folder.file(),
      `const { session } = await open()
       await put(session, 'k', 'v')
       say('done')`,
    )
    expect(await ended(child)).toMatchObject({ ...clean, out: 'done\n' })
  })

  it('finishes a write that nobody waits for', async () => {
    const child = startChild(
      folder.file(),
      `const { session } = await open()
       void put(session, 'k', 'v')`,
    )
    expect(await ended(child)).toMatchObject(clean)
    const { session } = await folder.open()
    expect(await textOf(session, 'k')).toBe('v')
  })

  it('finishes what is in flight when the store is closed', async () => {
    const child = startChild(
      folder.file(),
      `const { session } = await open()
       const writes = Array.from({ length: 500 }, (_, at) => put(session, 'k' + at, 'v'))
       let done = 0
       for (const write of writes) write.then(() => done++)
       await session.close()
       say(String(done))`,
    )
    expect(await ended(child)).toMatchObject({ ...clean, out: '500\n' })
  })

  it('opens, reads and ends beside a writer that never ends', async () => {
    const { session } = await folder.open()
    await put(session, 'k', 'v')
    const db = new DatabaseSync(folder.file())
    db.exec('BEGIN IMMEDIATE')
    const child = startChild(
      folder.file(),
      `const { session } = await open({ timeout: 50 })
       const patience = setTimeout(() => {}, 5000)
       const { records } = await session.read({ keys: ['k'], tags: [] })
       say(String(Buffer.from(records[0].bytes)))
       clearTimeout(patience)
       put(session, 'k', 'w').catch(() => {})`,
    )
    const end = await ended(child)
    db.exec('ROLLBACK')
    db.close()
    expect(end).toMatchObject({ ...clean, out: 'v\n' })
  })

  it('goes on, with errors that say what to do, when the disk is full', async () => {
    const child = startChild(
      folder.file(),
      `const { session } = await open()
       await put(session, 'first', 'v')
       const big = 'x'.repeat(100_000)
       const errors = []
       for (let at = 0; at < 40; at++) await put(session, 'k' + at, big).catch((error) => errors.push(error))
       const { records } = await session.read({ keys: ['first'], tags: [] })
       say([errors.length > 0, errors[0]?.code, /disk/.test(errors[0]?.message), records.length].join())
       await session.close()`,
      1000,
    )
    expect(await ended(child)).toMatchObject({ ...clean, out: 'true,ERR_L2_UNAVAILABLE,true,1\n' })
  })
})
