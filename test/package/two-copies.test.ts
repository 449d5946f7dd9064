import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { runNode } from './run-node.ts'

const installed = inject('installed')

describe('two copies of the package in one process', () => {
  it('recognise the errors of each other, though the classes differ', () => {
    // A copy whose dependencies are found in the project above it, as an npm tree with two versions.
    const copy = join(installed, 'second')
    cpSync(join(installed, 'node_modules/@org/resilient-cache'), copy, { recursive: true })
    const program = `
      import * as first from '@org/resilient-cache'
      import * as second from './second/dist/index.js'
      const report = {}
      try {
        second.createCache({ ttl: 'soon' })
      } catch (error) {
        report.sameClass = error instanceof first.ResilienceError
        report.recognised = first.isResilienceError(error)
        report.byCode = first.isResilienceError(error, 'ERR_INVALID_OPTION')
        report.otherCode = first.isResilienceError(error, 'ERR_TIMEOUT')
      }
      console.log(JSON.stringify(report))
    `
    writeFileSync(join(installed, 'two-copies.mjs'), program)
    const run = runNode(['two-copies.mjs'], installed)
    expect(run.stderr).toBe('')
    expect(JSON.parse(run.stdout)).toEqual({
      sameClass: false,
      recognised: true,
      byCode: true,
      otherCode: false,
    })
  })
})
