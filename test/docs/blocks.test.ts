import { afterAll, describe, expect, it } from 'vitest'
import { fits, programsOf } from '../../scripts/docs-blocks.ts'
import { anchorsOf } from '../../scripts/docs-links.ts'
import { Workshop } from '../../scripts/docs-programs.ts'

const workshop = await Workshop.open()
afterAll(() => workshop[Symbol.asyncDispose]())

const program = (code: string) => ({
  file: 'x.md',
  line: 1,
  language: 'ts' as const,
  run: true,
  code,
})

describe('blocks of a document', () => {
  it('make one program each, unless they continue the one before', () => {
    const markdown = [
      '<!-- setup',
      'const a = 1',
      '-->',
      '```ts',
      'f(a)',
      '```',
      '```ts continue',
      'g()',
      '```',
      '```text output',
      'done',
      '```',
      '```ts no-run',
      'h()',
      '```',
      '```sh',
      'npm test',
      '```',
    ].join('\n')
    expect(programsOf('x.md', markdown)).toEqual([
      { ...program('const a = 1\nf(a)\ng()'), line: 4, output: 'done' },
      { ...program('h()'), line: 13, run: false },
    ])
  })

  it('are refused with unknown words or without an end', () => {
    expect(() => programsOf('x.md', '```ts skip\n```')).toThrow('skip')
    expect(() => programsOf('x.md', '```ts\n')).toThrow('no end')
  })
})

describe('a program of the documentation', () => {
  it('is in order when every value is as promised', async () => {
    const code = [
      "import { createCache } from '@org/resilient-cache'",
      "const cache = createCache({ ttl: '1m' })",
      'const f = cache.cached(async (x: number) => ({ x }))',
      'console.log(await f(1), cache.name) // → { x: 1 } default',
      'const v = await f(2) // → { x: 2 }',
      'v.x + 1 // → 3',
      "createCache({ tll: '1m' } as object) // → throws ERR_INVALID_OPTION",
    ].join('\n')
    expect(await workshop.problemsOf(program(code))).toEqual([])
  })

  it('is found out when a value is another', async () => {
    expect(await workshop.problemsOf(program('1 + 1 // → 3'))).toEqual(['not 3 but 2'])
  })

  it('is found out when a line with a promise is never reached', async () => {
    expect(
      await workshop.problemsOf(program('if (Math.max(0) > 1)\n  console.log(1) // → 1')),
    ).toEqual(['never reached: 1'])
  })

  it('is found out when it prints something else, or fails', async () => {
    const printed = await workshop.problemsOf({ ...program("console.log('a')"), output: 'b' })
    expect(printed.join()).toContain('printed\na')
    expect((await workshop.problemsOf(program("throw new Error('broken')"))).join()).toContain(
      'broken',
    )
  })

  it('is found out when its types are wrong', async () => {
    expect(await workshop.typeProblems([program("const n: number = 'text'")])).toContain('TS2322')
  })
})

describe('expected text', () => {
  it('is literal, with … for anything', () => {
    expect(fits('a.b', 'a.b')).toBe(true)
    expect(fits('axb', 'a.b')).toBe(false)
    expect(fits('key: 123 ms', 'key: … ms')).toBe(true)
    expect(fits('key: 123 s', 'key: … ms')).toBe(false)
  })
})

describe('anchors', () => {
  it('are those of GitHub', () => {
    expect([...anchorsOf('# Life of a read\n## `ttl`, and grace\n## A\n## A\n')]).toEqual([
      'life-of-a-read',
      'ttl-and-grace',
      'a',
      'a-1',
    ])
  })
})
