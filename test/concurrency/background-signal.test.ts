import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./background-child.ts', import.meta.url))

/** Starts the program, sends it SIGTERM when it is ready, and waits for its end. */
async function terminated(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      out += text
      if (out.includes('ready')) resolve()
    })
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const ended = once(child, 'close')
  await Promise.race([ready, ended])
  const sentAt = performance.now()
  child.kill('SIGTERM')
  const [code, signal] = await ended
  const lines = out.trim().split('\n').slice(1)
  return { lines, err, code, signal, ms: performance.now() - sentAt }
}

/** As in a container, where the system spares process 1 the signals that it has no handler for. */
const asProcessOne = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child']
const canBeProcessOne = spawnSync('unshare', [...asProcessOne, 'true']).status === 0

/** Where there are no namespaces: a process that takes itself for number 1, and is spared like it. */
const asIfProcessOne = `
  const { pid } = process
  const kill = process.kill.bind(process)
  Object.defineProperty(process, 'pid', { value: 1 })
  process.kill = (whom, signal) => whom === 1 || kill(whom, signal)
`

/** Runs a program that sends itself a signal. */
function run(program: string, wrapper: readonly string[] = []) {
  const source = new URL('../../src/concurrency/background.ts', import.meta.url).href
  const [command, ...args] = [
    ...wrapper,
    ...[process.execPath, '--input-type=module', '-e'],
    `const source = ${JSON.stringify(source)}
    setTimeout(() => process.exit(99), 15_000)
    ${program}`,
  ]
  return spawnSync(command as string, args, { encoding: 'utf8', timeout: 20_000 })
}

describe('SIGTERM to a process with background work', () => {
  it('lets it end, delayed tasks too, and then ends the process by the signal', async () => {
    const { lines, err, code, signal, ms } = await terminated('100', '5s')
    expect([lines, err, code, signal]).toEqual([
      ['a done', 'b done', 'c done', 'delayed done', 'drained 4 0'],
      '',
      null,
      'SIGTERM',
    ])
    expect(ms).toBeLessThan(5000)
  })

  it('aborts at the deadline what has not ended', async () => {
    const { lines, signal, ms } = await terminated('60000', '300ms')
    expect(lines).toEqual([
      'a ERR_ABORTED',
      'b ERR_ABORTED',
      'c ERR_ABORTED',
      'undefined ERR_ABORTED',
      'drained 0 4',
    ])
    expect(signal).toBe('SIGTERM')
    expect(ms).toBeGreaterThanOrEqual(290)
  })

  it('leaves the end of the process to a handler that is there', async () => {
    const { lines, code } = await terminated('50', '5s', 'own')
    expect(lines).toContain('own handler')
    expect(lines).toContain('drained 4 0')
    expect(code).toBe(7)
  })

  it.each([
    ['', canBeProcessOne ? ['unshare', ...asProcessOne] : undefined],
    [', as far as a process can play it', undefined],
  ])('ends process 1 of a container too%s', (_, wrapper) => {
    const program = `
      ${wrapper ? 'const { pid, kill } = process' : asIfProcessOne}
      const { background } = await import(source)
      background({ drainOn: ['SIGTERM'] }).run(() => console.log('done', process.pid))
      kill.call(process, pid, 'SIGTERM')
    `
    const { stdout, stderr, status } = run(program, wrapper)
    expect([stdout, stderr, status]).toEqual(['done 1\n', '', 143])
  })

  it('ends it where two copies of the package are loaded', () => {
    const { signal, stderr } = run(`
      for (const copy of ['', '?copy']) {
        const { onSignals } = await import(source.replace('.ts', '-signals.ts') + copy)
        onSignals(['SIGTERM'], async () => {})
      }
      process.kill(process.pid, 'SIGTERM')
    `)
    expect([signal, stderr]).toEqual(['SIGTERM', ''])
  })
})
