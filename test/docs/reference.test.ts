import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readDocument } from '../../scripts/docs-programs.ts'

const source = (file: string) => readFileSync(`src/${file}`, 'utf8')
const reference = readDocument('docs/reference.md')
const readme = readDocument('README.md')

/** The text between the braces of an interface or class. */
function bodyOf(code: string, declaration: string): string {
  const start = code.search(new RegExp(`^export (interface|class) ${declaration}\\b`, 'm'))
  if (start < 0) throw new Error(`${declaration} is gone from the sources`)
  return code.slice(start, code.indexOf('\n}', start))
}

/** Names of its members, constructor and private ones apart. */
function membersOf(code: string, declaration: string): string[] {
  const body = bodyOf(code, declaration)
  const names = [...body.matchAll(/^ {2}(?:readonly |async )*'?([a-z][\w-]*)'?(?:<.*>)?\??[:(<]/gm)]
  return [...new Set(names.map((match) => match[1] as string))].filter(
    (name) => name !== 'constructor',
  )
}

/** Whether some piece of inline code holds the name as a word of its own. */
function names(document: string, name: string): boolean {
  return [...document.matchAll(/`([^`\n]+)`/g)].some((match) =>
    (match[1] as string).split(/[^\w-]+/).includes(name),
  )
}

const options = source('facade/options.ts')

describe('the reference', () => {
  it.each([
    ['FreshnessOptions', options],
    ['FunctionOptions', options],
    ['L1Options', options],
    ['CompressionOptions', options],
    ['CacheOptions', options],
    ['SetOptions', options],
    ['CallSettings', source('facade/cached-function.ts')],
    ['CachedFunction', source('facade/cached-function.ts')],
    ['CacheStats', source('facade/results.ts')],
    ['Explanation', source('facade/results.ts')],
    ['CacheEvents', source('read-path/cache-events.ts')],
    ['LoadContext', source('read-path/policy.ts')],
    ['RedisOptions', source('adapters/redis/ioredis/redis-options.ts')],
    ['SqliteOptions', source('adapters/sqlite/sqlite-store.ts')],
  ])('names every member of %s', (declaration, code) => {
    const members = membersOf(code, declaration)
    expect(members.length).toBeGreaterThan(1)
    expect(members.filter((name) => !names(reference, name))).toEqual([])
  })

  it('names every public method of Cache', () => {
    const code = source('facade/cache.ts')
    const internal = ['openRegion', 'closeRegion']
    const methods = membersOf(code, 'Cache').filter((name) => !internal.includes(name))
    expect(methods).toContain('getOrSet')
    expect(methods.filter((name) => !names(reference, name))).toEqual([])
  })

  it('names every outcome and every error code', () => {
    const outcomes = source('read-path/outcome.ts').matchAll(/^ {2}\| '([\w-]+)'/gm)
    const life = readDocument('docs/concepts/life-of-a-read.md')
    expect([...outcomes].map((match) => match[1] as string).filter((o) => !names(life, o))).toEqual(
      [],
    )
    const codes = source('kernel/errors.ts').matchAll(/^ {2}\| '(ERR_\w+)'/gm)
    const missing = [...codes]
      .map((match) => match[1] as string)
      .filter((c) => !names(reference, c))
    expect(missing).toEqual([])
  })
})

describe('defaults in the tables', () => {
  const documented = [...options.matchAll(/@default ('[^']+'|[\d._]+|true|false)[\s\S]*?(\w+)\?:/g)]
    .map((match) => ({ value: match[1] as string, name: match[2] as string }))
    .filter(({ name }) => name !== 'ttl')

  it.each(documented)('of $name is $value, as in the sources', ({ name, value }) => {
    expect(rowsOf(reference, name).some((row) => row.includes(value))).toBe(true)
    const rows = rowsOf(readme, name)
    if (rows.length > 0) expect(rows.some((row) => row.includes(value))).toBe(true)
  })
})

/** Rows of tables that explain the name; `l1.ttl` explains `ttl`. */
function rowsOf(document: string, name: string): string[] {
  const rows = document.matchAll(new RegExp(`^\\| (?:\`\\w+\`, )*\`(?:\\w+\\.)?${name}\`.*$`, 'gm'))
  return [...rows].map((row) => row[0])
}
