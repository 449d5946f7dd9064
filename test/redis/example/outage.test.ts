import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { redisBinary } from '../servers/binary.ts'
import { until } from '../servers/until.ts'

const run = promisify(execFile)
const outage = fileURLToPath(import.meta.resolve('../../../examples/redis/outage.ts'))
// Its files are all in here, and so are those of its servers.
const folder = mkdtempSync(join(tmpdir(), 'outage-test-'))
const env = () => ({ ...process.env, REDIS_SERVER_BIN: redisBinary().path, TMPDIR: folder })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The servers it runs, by their process ids: redis-server writes over its command line. */
async function serversOf(parent: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'ppid=,pid=,args='])
  const rows = stdout.matchAll(/^ *(\d+) +(\d+) .*(?:redis|valkey)-server/gm)
  return [...rows].filter((row) => Number(row[1]) === parent).map((row) => Number(row[2]))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

// Bounds in milliseconds on a machine that other tests keep busy: another chance.
describe('the outage example', { retry: 2, timeout: 60_000 }, () => {
  it('shows a service that survives the loss of all of Redis', async () => {
    const { stdout, stderr } = await run(process.execPath, [outage, '--quick'], { env: env() })
    expect(stderr).toBe('')
    for (const pattern of [
      /^ *\d+ s +\d+ +0 .* ready +sentinel +bus .*the service starts, empty$/m,
      /all three sentinels are killed$/m,
      /ready +last-known .*all connections to the master are cut/m,
      /down +none .*nothing is left$/m,
      /ready +sentinel .*L2 is back after /m,
      /replica and master change roles/m,
      /^together +\d+ +0 /m,
      /^Survived: 0 errors, 0 values older than allowed, in \d{4} answers\.$/m,
    ])
      expect(stdout).toMatch(pattern)
    expect(readdirSync(folder)).toEqual([])
  })

  it('leaves nothing behind when it is interrupted', async () => {
    const child = spawn(process.execPath, [outage, '--quick'], { env: env() })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    try {
      await until('it shows its second line', () => /^ *2 s /m.test(printed), { withinMs: 30_000 })
      const servers = await serversOf(child.pid as number)
      expect(servers).toHaveLength(5)
      child.kill('SIGINT')
      const [code] = await once(child, 'exit')
      expect(code).toBe(130)
      expect(servers.filter(isAlive)).toEqual([])
      expect(readdirSync(folder)).toEqual([])
    } finally {
      child.kill('SIGKILL')
    }
  })
})
