import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const project = join(inject('installed'), 'typed')

// Every entry, used: an import alone would not notice a declaration that became `any`.
const PROGRAM = `
import { cached, createCache, isResilienceError } from '@org/resilient-cache'
import { sqlite } from '@org/resilient-cache/sqlite'
import { FakeClock } from '@org/resilient-cache/testing'

export const clock = new FakeClock()
export const cache = createCache({ name: 'typed', ttl: '5m', clock, l2: sqlite({ path: 'a.db' }) })
export const double = cached(async (n: number) => n * 2, { ttl: '1m' })
export const four: Promise<number> = double(2)
// @ts-expect-error the wrapper keeps the parameters of the origin
export const wrong = double('2')
export const known = (error: unknown): string => (isResilienceError(error) ? error.code : 'other')
`

const KEYV_PROGRAM = `
import { createCache } from '@org/resilient-cache'
import { keyv } from '@org/resilient-cache/keyv'
import { Keyv } from 'keyv'

export const cache = createCache({ name: 'typed', ttl: '5m', l2: keyv(new Keyv()) })
`

const NODENEXT = { module: 'nodenext' }
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' }
// Whoever imports ./keyv has Keyv; whoever does not, must not need its types.
const WITH_KEYV = {
  module: 'nodenext',
  skipLibCheck: true,
  paths: { keyv: [join(root, 'node_modules/keyv/dist/index.d.mts')] },
}

/** Type-checks a file against the emitted declarations, with nothing but Node's types around. */
function typeErrors(compiler: 'tsc' | 'tsc6', file: string, options: object): string {
  const tsconfig = join(project, `${file}.json`)
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable', 'esnext.decorators'],
    types: ['node'],
    ...options,
  }
  writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: [file] }))
  const run = spawnSync(join(root, 'node_modules/.bin', compiler), ['-p', tsconfig], {
    cwd: project,
    encoding: 'utf8',
  })
  return run.stdout + run.stderr
}

describe('the emitted declarations', () => {
  beforeAll(() => {
    mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
    for (const file of ['esm.ts', 'commonjs.cts']) writeFileSync(join(project, file), PROGRAM)
    writeFileSync(join(project, 'keyv.ts'), KEYV_PROGRAM)
    for (const name of ['@types/node', 'undici-types']) {
      cpSync(join(root, 'node_modules', name), join(project, 'node_modules', name), {
        recursive: true,
      })
    }
  })
  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it.each([
    ['tsc', 'esm.ts', NODENEXT],
    ['tsc', 'commonjs.cts', NODENEXT],
    ['tsc', 'esm.ts', BUNDLER],
    ['tsc', 'keyv.ts', WITH_KEYV],
    ['tsc6', 'esm.ts', NODENEXT],
  ] as const)('satisfy %s in %s with %o', (compiler, file, options) => {
    expect(typeErrors(compiler, file, options)).toBe('')
  })
})
