import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const example = fileURLToPath(import.meta.resolve('../../examples/n-plus-one/main.ts'))

it('on a SQL database 1 + 100 queries become 2, and 3 with a nested async level', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [example], { timeout: 20_000 })
  expect(stdout).toMatch(/one by one +101 statements/)
  expect(stdout).toMatch(/through a loader +2 statements/)
  expect(stdout).toMatch(/the same result +true/)
  expect(stdout).toMatch(/through loaders +3 statements/)
  expect(stdout).toMatch(/users: 80 single loads from \S*main\.ts:\d+:\d+/)
}, 30_000)
