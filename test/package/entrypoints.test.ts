import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runNode } from './run-node.ts'

// Sources may lie about what a bundle loads, so each built entry is loaded in a process of its own
// and the packages that Node really resolved are compared with this list.
// A package with dependencies of its own is expected with all that it loads by itself.
const EXPECTED: Record<string, readonly string[]> = {
  '.': ['lru-cache'],
  './redis': ['ioredis'],
  './sqlite': [],
  './keyv': [],
  './bottleneck': ['bottleneck'],
  './dataloader': [],
  // Its middleware needs no more of express than its types.
  './express': [],
  // Streams are kept in a whole cache; no SDK of a provider is needed.
  './llm': ['lru-cache'],
  // The simulation runs whole caches.
  './testing': ['lru-cache'],
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const recorder = new URL('record-packages.mjs', import.meta.url).href
const { exports: exported } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, { default: string } | string>
}

function packagesTouched(code: string): string[] {
  const run = runNode(['--import', recorder, '--input-type=module', '--eval', code], root)
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout) as string[]
}

describe('entry points', () => {
  const entries = Object.entries(exported).filter(([subpath]) => subpath !== './package.json')

  it('all have an expectation here', () => {
    expect(entries.map(([subpath]) => subpath).sort()).toEqual(Object.keys(EXPECTED).sort())
  })

  it('would be caught importing an optional package', () => {
    expect(packagesTouched(`import 'keyv'`)).toContain('keyv')
  })

  it.each(entries)('%s loads only the packages it declares', (subpath, target) => {
    const file = typeof target === 'string' ? target : target.default
    const expected = (EXPECTED[subpath] ?? []).flatMap((name) =>
      packagesTouched(`import '${name}'`),
    )
    expect(packagesTouched(`import '${file}'`)).toEqual([...new Set(expected)].sort())
  })
})
