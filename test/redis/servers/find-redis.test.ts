import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { releaseLock, takeLock } from '../../../scripts/pid-lock.ts'

const script = fileURLToPath(new URL('../../../scripts/find-redis.ts', import.meta.url))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rc-find-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function program(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

function find(env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TMPDIR: folder, ...env },
  })
  return { status, stdout: stdout.trim(), stderr: stderr.trim() }
}

describe('finding a server', () => {
  it('takes REDIS_SERVER_BIN before PATH, and Valkey too', () => {
    const path = program('my-server', 'echo "Valkey server v=8.1.0 sha=0:0 bits=64"')
    expect(find({ REDIS_SERVER_BIN: path })).toEqual({
      status: 0,
      stdout: path,
      stderr: 'valkey 8.1.0',
    })
  })

  it('refuses a REDIS_SERVER_BIN that is no server or too old, instead of taking another', () => {
    const old = program('old', 'echo "Redis server v=6.0.16 sha=0:0 bits=64"')
    for (const path of [old, '/none/redis-server', '/bin/sh']) {
      const { status, stdout, stderr } = find({ REDIS_SERVER_BIN: path })
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/^REDIS_SERVER_BIN names .* >= 6\.2\. Correct it, or unset it/)
    }
  })

  it('passes over one of PATH that is too old', () => {
    const path = program('redis-server', 'echo "Redis server v=6.1.9 sha=0:0"')
    const env = { PATH: `${folder}:${process.env.PATH}` }
    expect(find({ ...env, RC_NO_INSTALL: '1' }).stdout).not.toBe(path)
    program('redis-server', 'echo "Redis server v=6.2.0 sha=0:0"')
    expect(find(env)).toEqual({ status: 0, stdout: path, stderr: 'redis 6.2.0' })
  })
})

describe('installing a server', () => {
  const call = (env: Record<string, string> = {}) => {
    const code = `
      import { existsSync } from 'node:fs'
      import { installRedis } from ${JSON.stringify(new URL('../../../scripts/install-redis.ts', import.meta.url).href)}
      console.log(await installRedis(() => existsSync(${JSON.stringify(join(folder, 'installed'))})))
    `
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      env: { PATH: folder, TMPDIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return Promise.all([text(child.stdout), text(child.stderr)])
  }

  beforeEach(() => {
    for (const name of ['sh', 'sleep']) symlinkSync(`/bin/${name}`, join(folder, name))
    program('sudo', 'shift; "$@"')
    program('apk', `echo "$@" >> ${folder}/calls; sleep 0.3; : > ${folder}/installed`)
  })

  it('happens once for two processes, which both see the result, and is announced', async () => {
    const both = await Promise.all([call(), call()])
    expect(both.map(([out]) => out)).toEqual(['undefined\n', 'undefined\n'])
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('add --no-cache redis\n')
    expect(both.map(([, error]) => error).sort()).toEqual([
      '',
      'redis-server was not found: installing it with apk (RC_NO_INSTALL=1 forbids this)\n',
    ])
  })

  it('does not happen where it is forbidden', async () => {
    const [out, error] = await call({ RC_NO_INSTALL: '1' })
    expect([out, error]).toEqual(['RC_NO_INSTALL=1 forbids installing it\n', ''])
    expect(existsSync(join(folder, 'calls'))).toBe(false)
  })

  it('gives the output of a package manager that failed', async () => {
    program('apk', 'echo no such package >&2; exit 3')
    expect((await call())[0]).toBe('apk failed:\nno such package\n\n')
  })
})

describe('a lock between processes', () => {
  it('is held by one, and taken over from the dead', () => {
    const lock = join(folder, 'lock')
    expect(takeLock(lock)).toBe(true)
    expect(takeLock(lock)).toBe(false)
    releaseLock(lock)
    const { pid } = spawnSync('true')
    writeFileSync(lock, String(pid))
    expect(takeLock(lock)).toBe(true)
    expect(readFileSync(lock, 'utf8')).toBe(String(process.pid))
  })
})
