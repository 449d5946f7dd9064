import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runCli, SECRET } from './run-cli.ts'

const program = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url))

describe('the command line', () => {
  it.each([
    [['docter'], "did you mean 'doctor'?"],
    [['doctor', '--sentinal', 'a:1'], "did you mean '--sentinels'?"],
    [['doctor', '--pasword', SECRET], "did you mean '--password'?"],
    [['doctor', '-p', SECRET], "unknown option: '-p'"],
    [['doctor'], 'say where Redis is'],
    [['doctor', '--sentinels', 'a:1'], '--sentinels needs --master-name'],
    [['doctor', 'redis://a', '--cluster', 'a:1'], 'give one of'],
    [['doctor', 'redis://a', '--master-name', 'm'], 'only with --sentinels'],
    [['doctor', 'redis://a', '--timeout', 'soon'], 'timeout'],
    [['doctor', 'redis://a', '--db', 'one'], '--db must be'],
    [['doctor', 'redis://a', '--json=yes'], '--json takes no value'],
    [['doctor', 'redis://a', '--password'], '--password needs a value'],
    [['doctor', 'redis://a', '--password', '--json'], '--password needs a value'],
    [['doctor', 'redis://a', '--prefix', 'a', '--prefix', 'b'], 'given twice'],
    [['doctor', 'redis://a', '--tls-ca', '/nowhere.pem'], 'cannot be read (ENOENT)'],
    [['doctor', 'redis://a', '--tls-ca', program], 'must name a PEM file'],
    [['doctor', 'redis://a', '--tls'], 'write rediss://'],
    [['doctor', `redis://u:${SECRET}@a`], 'url'],
    [['doctor', 'redis://a', 'redis://b'], 'one url at most'],
    [['inspect'], 'inspect takes a key'],
    [['inspect', 'nothing', 'redis://a'], 'name the cache with --cache'],
  ])('%j is bad usage that says what is right', async (args, message) => {
    const { code, out, err } = await runCli(args)
    expect(err).toContain(message)
    expect(err).toContain('--help')
    expect(out).toBe('')
    expect(code).toBe(2)
  })

  it('shows how it is used', async () => {
    expect((await runCli(['--help'])).out).toContain('doctor [url]')
    expect((await runCli(['doctor', '--help'])).out).toContain('--password-stdin')
    expect((await runCli(['inspect', '--help'])).out).toContain('--show-value')
    expect((await runCli([])).code).toBe(2)
  })

  it('is a program that ends with the code and prints what it found', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: 20_000 })
    const refused = run('doctor', 'redis://127.0.0.1:1')
    expect(refused.stdout).toContain('ECONNREFUSED')
    expect({ status: refused.status, stderr: refused.stderr }).toEqual({ status: 1, stderr: '' })
    expect(run('doctor', '--nonsense').status).toBe(2)
  })
})
