import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { runNode } from './run-node.ts'

const installed = inject('installed')
const own = join(installed, 'node_modules/@org/resilient-cache')

describe('the packed package, installed into an empty project', () => {
  it.each(['smoke.cjs', 'smoke.mjs'])('works from %s', (file) => {
    expect(runNode([file], installed)).toEqual({ status: 0, stdout: 'ok\n', stderr: '' })
  })

  it('brings three dependencies with one of theirs, and no client of Redis', () => {
    const packages = readdirSync(join(installed, 'node_modules')).filter((name) => name[0] !== '.')
    expect(packages.sort()).toEqual(['@org', 'lru-cache', 'opossum', 'p-limit', 'yocto-queue'])
  })

  it('contains the build and the documents, and no source', () => {
    const files = readdirSync(own).sort()
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'dist', 'package.json']))
    const allowed = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']
    expect(files.filter((file) => !allowed.includes(file))).toEqual([])
  })
})
