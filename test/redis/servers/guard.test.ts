import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { until } from './until.ts'

// A program that starts a server, freezes it and forgets to stop it.
const PROGRAM = `
import { startServer } from ${JSON.stringify(new URL('server.ts', import.meta.url).href)}
const server = await startServer()
const { pid, folder } = server
server.stopSignal()
console.log(JSON.stringify({ pid, folder }))
if (process.argv[1] === 'crash') throw new Error('expected')
if (process.argv[1] === 'end') process.exit()
setInterval(() => {}, 1_000)
`

describe('a server that nobody stopped', () => {
  it.each([
    ['end', undefined],
    ['crash', undefined],
    ['wait', 'SIGTERM'],
    ['wait', 'SIGINT'],
    ['wait', 'SIGKILL'],
  ] as const)('is gone after its process: %s %s', async (manner, signal) => {
    const program = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, manner], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const lines = createInterface(program.stdout)[Symbol.asyncIterator]()
    const { pid, folder } = JSON.parse(String((await lines.next()).value)) as {
      pid: number
      folder: string
    }
    if (signal !== undefined) program.kill(signal)
    await until('the program ended', () => program.exitCode !== null || program.signalCode)
    await until('the server is gone', () => !isRunning(pid))
    await until('its folder is gone', () => !existsSync(folder))
    expect(program.signalCode ?? undefined).toBe(signal)
  })
})

// The parent of an orphan may leave it as a zombie in a container without an init, so its state
// counts and not its number.
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return /^[^Z\s]/.test(stdout)
}
