import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder, put, textOf } from './open-file.ts'

let folder: Folder
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => folder.remove())

function makeDatabase(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

/** A file of ours with enough in it that its middle matters. */
async function makeOurs(): Promise<string> {
  const { session } = await folder.open()
  for (let at = 0; at < 200; at++) await put(session, `k${at}`, 'x'.repeat(1000))
  await session.close()
  return folder.file()
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

const aside = () => readdirSync(folder.path).filter((name) => /\.corrupt-\d+(-\d+)?$/.test(name))

describe('a path that cannot be used', () => {
  it.each([
    ['below a file', () => '/dev/null/cache.db'],
    ['a device', () => '/dev/null'],
    ['a folder', () => folder.path],
    ['in a folder that cannot be made', () => '/proc/rc-nowhere/cache.db'],
  ])('%s: down with a remedy, and operations reject at once', async (_, path) => {
    const { session, states } = await folder.open({ path: path() })
    expect(states).toMatchObject([
      { state: 'down', error: { message: expect.stringMatching(/give sqlite\(\)/) } },
    ])
    await expect(put(session, 'k', 'v')).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    await expect(session.read({ keys: ['k'], tags: [] })).rejects.toMatchObject({
      code: 'ERR_L2_UNAVAILABLE',
    })
    await expect(session.probe()).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
  })

  it('serves as soon as a probe finds the path repaired', async () => {
    writeFileSync(folder.file('blocked'), '')
    const { session, states } = await folder.open({ path: folder.file('blocked/cache.db') })
    expect(states.at(-1)?.state).toBe('down')
    rmSync(folder.file('blocked'))
    await expect(put(session, 'k', 'v')).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    await session.probe()
    expect(states.at(-1)?.state).toBe('ready')
    await put(session, 'k', 'v')
    expect(await textOf(session, 'k')).toBe('v')
  })

  it('a read-only file of ours: down for a user who may not write, and untouched', async () => {
    const path = await makeOurs()
    chmodSync(folder.path, 0o755)
    chmodSync(path, 0o444)
    const before = readFileSync(path)
    // A copy that everybody may read: the checkout may lie in a folder of root's own.
    const root = new URL('../../', import.meta.url)
    const copy = join(folder.path, 'checkout')
    cpSync(new URL('src', root), join(copy, 'src'), { recursive: true })
    cpSync(new URL('test/sqlite/child-read-only.ts', root), join(copy, 'test/sqlite/child.ts'))
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
    const child = spawnSync(process.execPath, [join(copy, 'test/sqlite/child.ts'), path], {
      encoding: 'utf8',
    })
    expect(child.stderr).toBe('')
    expect(child.stdout).toMatch(/^down .*let the user of this process/)
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('a file that is not ours', () => {
  it.each([
    ['a database with tables', 'CREATE TABLE t (x); INSERT INTO t VALUES (1)'],
    ['a database in WAL mode', 'PRAGMA journal_mode = WAL; CREATE TABLE t (x)'],
    ['one with an application id of its own', 'PRAGMA application_id = 7; CREATE TABLE t (x)'],
  ])('%s: down, byte by byte as it was, nothing beside it', async (_, sql) => {
    makeDatabase(folder.file(), sql)
    const before = readFileSync(folder.file())
    const { session, states } = await folder.open()
    expect(states).toMatchObject([
      { state: 'down', error: { message: expect.stringMatching(/left untouched/) } },
    ])
    await expect(put(session, 'k', 'v')).rejects.toThrow()
    await session.close()
    expect(readFileSync(folder.file()).equals(before)).toBe(true)
    expect(readdirSync(folder.path)).toEqual(['cache.db'])
  })

  it.each([
    ['short text', 'hello'],
    ['long text', 'not a database '.repeat(1000)],
    ['an SQLite magic with rubbish behind', `SQLite format 3\0${'x'.repeat(5000)}`],
  ])('%s: down and untouched', async (_, text) => {
    writeFileSync(folder.file(), text)
    const { states } = await folder.open()
    expect(states.map(({ state }) => state)).toEqual(['down'])
    expect(readFileSync(folder.file(), 'utf8')).toBe(text)
    expect(readdirSync(folder.path)).toEqual(['cache.db'])
  })

  it('of a newer version of ours: down and untouched', async () => {
    const path = await makeOurs()
    makeDatabase(path, 'PRAGMA user_version = 99')
    const before = readFileSync(path)
    const { session, states } = await folder.open()
    expect(states).toMatchObject([
      { state: 'down', error: { message: expect.stringMatching(/newer version/) } },
    ])
    await session.close()
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('a file that is taken over', () => {
  it('is made with its folders, for this user only', async () => {
    const path = folder.file('deep/er/cache.db')
    const { session, states } = await folder.open({ path })
    expect(states.map(({ state }) => state)).toEqual(['ready'])
    await put(session, 'k', 'v')
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
    }
    expect(statSync(folder.file('deep/er')).mode & 0o777).toBe(0o700)
    expect(readdirSync(folder.file('deep/er')).sort()).toEqual([
      'cache.db',
      'cache.db-shm',
      'cache.db-wal',
    ])
  })

  it('may be empty', async () => {
    writeFileSync(folder.file(), '')
    const { session } = await folder.open()
    await put(session, 'k', 'v')
    expect(await textOf(session, 'k')).toBe('v')
    expect(statSync(folder.file()).mode & 0o777).toBe(0o600)
  })

  it('may be of an older version of ours, and is emptied', async () => {
    const path = await makeOurs()
    makeDatabase(path, 'PRAGMA user_version = 0')
    const { session, states } = await folder.open()
    expect(states.map(({ state }) => state)).toEqual(['ready'])
    expect(await textOf(session, 'k1')).toBeUndefined()
    await put(session, 'k', 'v')
    expect(aside()).toEqual([])
  })

  it('keeps what it has over a restart', async () => {
    await makeOurs()
    const { session } = await folder.open()
    expect(await textOf(session, 'k199')).toBe('x'.repeat(1000))
  })
})

describe('a corrupt file of ours', () => {
  it.each([
    ['its middle', (path: string) => overwrite(path, 4096 * 3, Buffer.alloc(4096 * 20, 0xa5))],
    ['its magic', (path: string) => overwrite(path, 0, Buffer.from('rubbish rubbish!'))],
    ['its end', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 9000))],
  ])('%s damaged: moved aside, counted, and begun anew', async (_, damage) => {
    const path = await makeOurs()
    damage(path)
    const damaged = readFileSync(path)
    const { session, states } = await folder.open()
    expect(states).toMatchObject([
      { state: 'ready', error: { message: expect.stringMatching(/moved aside/) } },
    ])
    expect(await textOf(session, 'k1')).toBeUndefined()
    await put(session, 'k', 'v')
    expect(await textOf(session, 'k')).toBe('v')
    expect(session.counters().movedAside).toBe(1)
    expect(aside()).toHaveLength(1)
    expect(readFileSync(folder.file(aside()[0])).equals(damaged)).toBe(true)
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  it('found at run time: moved aside, and the operation is answered by the new one', async () => {
    await makeOurs()
    const { session, states } = await folder.open()
    // In another process: closing a descriptor of the file here would drop the locks of the worker.
    const pages = statSync(folder.file()).size / 4096 - 1
    spawnSync('dd', [
      'if=/dev/urandom',
      `of=${folder.file()}`,
      'bs=4096',
      'seek=1',
      `count=${pages}`,
      'conv=notrunc',
    ])
    // A write by somebody else makes the worker forget the pages it knows.
    makeDatabase(folder.file(), `PRAGMA user_version = 1`)
    const replies = await Promise.all([
      session.read({ keys: Array.from({ length: 200 }, (_, at) => `k${at}`), tags: [] }),
      put(session, 'k', 'v'),
    ])
    expect(replies[1]).toMatchObject({ stored: true })
    expect(await textOf(session, 'k')).toBe('v')
    expect(aside()).toHaveLength(1)
    expect(session.counters().movedAside).toBe(1)
    expect(states.at(-1)).toMatchObject({ state: 'ready' })
  })
})

describe('a file that is replaced while it is open', () => {
  it('deleted by somebody: begun anew, with another epoch', async () => {
    const { session } = await folder.open()
    await put(session, 'k', 'v')
    const { epoch } = await session.read({ keys: [], tags: [] })
    for (const suffix of ['', '-wal', '-shm']) rmSync(folder.file() + suffix, { force: true })
    expect(await textOf(session, 'k')).toBeUndefined()
    await put(session, 'k', 'w')
    expect(await textOf(session, 'k')).toBe('w')
    expect((await session.read({ keys: [], tags: [] })).epoch).not.toBe(epoch)
  })

  it('replaced by a foreign one: down, and the other untouched', async () => {
    mkdirSync(folder.file('other'))
    makeDatabase(folder.file('other/foreign.db'), 'CREATE TABLE t (x)')
    const { session, states } = await folder.open()
    await put(session, 'k', 'v')
    for (const suffix of ['-wal', '-shm']) rmSync(folder.file() + suffix, { force: true })
    rmSync(folder.file())
    copyFileSync(folder.file('other/foreign.db'), folder.file())
    await expect(put(session, 'k', 'w')).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    expect(states.at(-1)?.state).toBe('down')
    expect(readFileSync(folder.file()).equals(readFileSync(folder.file('other/foreign.db')))).toBe(
      true,
    )
  })
})
