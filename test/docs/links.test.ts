import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { brokenLinks } from '../../scripts/docs-links.ts'
import { documents, readDocument } from '../../scripts/docs-programs.ts'

const { version, scripts, engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string
  scripts: Record<string, string>
  engines: { node: string }
}

const pages = [...documents(), 'CONTRIBUTING.md', 'SECURITY.md', 'examples/README.md']

describe('links', () => {
  it.each(pages)('of %s lead somewhere', (file) => {
    expect(brokenLinks(file)).toEqual([])
  })
})

describe('commands', () => {
  it.each(pages)('named in %s exist', (file) => {
    const text = readDocument(file)
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] as string)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  it('of the README to test and to see it are those of a fresh clone', () => {
    const blocks = [...readDocument('README.md').matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    const lines = blocks.flatMap((block) => (block[1] as string).trim().split('\n'))
    expect(lines).toContain('npm install && npm run demo')
    expect(lines).toContain('npm install && npm test')
    expect(scripts.test).toBeDefined()
  })
})

describe('the changelog', () => {
  it('has an entry for the present version', () => {
    expect(readDocument('CHANGELOG.md').split('\n')).toContain(`## ${version}`)
  })
})

describe('requirements', () => {
  it('in the README are those of package.json', () => {
    expect(engines.node).toBe('>=22.13')
    expect(readDocument('README.md')).toContain('Node 22.13')
  })
})
