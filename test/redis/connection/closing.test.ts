import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { startServer } from '../servers/server.ts'
import { type Connection, connect } from './connection.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function _open(...args: Parameters<typeof connect>): Connection {
  const connection = connect(...args)
  closers.push(() => connection.transport.close())
  return connection
}

async function server(...args: Parameters<typeof startServer>) {
  const started = await startServer(...args)
  closers.push(() => started.stop())
  return started
}

describe('closing', () => {
  const program = (port: number, ending: string) => `
    import { connect } from ${JSON.stringify(new URL('./connection.ts', import.meta.url).href)}
    process.on('unhandledRejection', (error) => { console.log('unhandled', error); process.exit(9) })
    const connection = connect(${port})
    connection.transport.subscribe(['news'])
    ${ending}
  `
  const run = async (port: number, ending: string): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module-typescript', '--no-warnings', '-e', program(port, ending)],
      { timeout: 30_000 },
    )
    return stdout + stderr
  }

  it('leaves nothing that keeps the process, connected or not, frozen or not', async () => {
    const started = await server()
    const frozen = await server()
    frozen.stopSignal()
    const nobody = await freePort()
    const close =
      'await connection.transport.close(); console.log(process.getActiveResourcesInfo().filter((one) => /TCP|Timeout/.test(one)))'
    const ready = `await connection.ready(); connection.send(['GET', 'k']).catch(() => {});`
    const outputs = await Promise.all([
      run(started.port, ready + close),
      run(started.port, close),
      run(nobody, `await connection.down(/REFUSED/); ${close}`),
      run(frozen.port, `await new Promise((resolve) => setTimeout(resolve, 100)); ${close}`),
    ])
    expect(outputs.map((output) => output.trim())).toEqual(['[]', '[]', '[]', '[]'])
    frozen.continueSignal()
  })

  it('does not keep the process alive where nobody closes it', async () => {
    const started = await server()
    expect(await run(started.port, 'await connection.ready()')).toBe('')
    expect(await run(await freePort(), 'await connection.down(/REFUSED/)')).toBe('')
  })

  it('waits for a reply that somebody waits for', async () => {
    const started = await server()
    const output = await run(
      started.port,
      `await connection.ready(); connection.send(['BLPOP', 'x', '0.1']).then(() => console.log('replied'))`,
    )
    expect(output.trim()).toBe('replied')
  })

  it('is over soon where the server hangs, and rejects what was under way', async () => {
    const started = await server()
    const connection = connect(started.port)
    await connection.ready()
    started.stopSignal()
    const lost = connection.send(['GET', 'k']).catch((error: Error) => error)
    const begin = performance.now()
    await connection.transport.close()
    expect(performance.now() - begin).toBeLessThan(150)
    expect(await lost).toBeInstanceOf(Error)
    const told = connection.states.length
    started.continueSignal()
    await expect(connection.send(['GET', 'k'])).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(connection.states).toHaveLength(told)
  })
})
