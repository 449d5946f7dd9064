import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { memory } from '../../src/stores/memory-store.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'
import { remote, withoutLeasesAndBus } from './store-variants.ts'

describe('memory()', () => {
  storeConformance({ test, makeStore: () => memory() })
})

describe('a chaos store with all rates 0', () => {
  storeConformance({ test, makeStore: () => chaosStore(memory(), { seed: 1 }) })
})

describe('a store without leases and bus', () => {
  storeConformance({ test, makeStore: () => withoutLeasesAndBus(memory()) })
})

describe('a store behind a wire', () => {
  storeConformance({ test, makeStore: async () => remote(memory()) })
})

describe('storeConformance', () => {
  test('cleans up after each test, the failed ones too, with the store that it made', async () => {
    const tests: (() => Promise<void>)[] = []
    const cleanup = vi.fn()
    const store = { ...memory(), timeoutMs: -1 }
    storeConformance({
      test: (_name, run) => tests.push(run),
      makeStore: () => store,
      cleanup,
    })
    await expect(tests[0]?.()).rejects.toThrow('timeoutMs')
    await tests[1]?.()
    expect(cleanup.mock.calls).toEqual([[store], [store]])
  })

  test('shows the seed in the names of the random tests', () => {
    const names: string[] = []
    storeConformance({ test: (name) => names.push(name), makeStore: memory, seed: 4711 })
    expect(names.filter((name) => name.includes('4711'))).toHaveLength(1)
    expect(new Set(names).size).toBe(names.length)
  })

  test('runs under node:test as well, with its skips', async () => {
    const file = fileURLToPath(new URL('./conformance-under-node.ts', import.meta.url))
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--test', '--experimental-strip-types', '--no-warnings', '--test-reporter=tap', file],
      { env },
    )
    expect(stdout).toMatch(/^# pass [4-9]\d$/m)
    expect(stdout).toMatch(/^# fail 0$/m)
    expect(stdout).toMatch(/^# skipped [1-9]$/m)
  })
})
