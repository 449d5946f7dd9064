// The code in README.md and docs/ is run, so that it stays true. The convention:
//
//   ```ts            a program of its own; it runs in a child process
//   ```ts continue   more of the program above it
//   ```ts no-run     not run, but type-checked
//   ```text output   everything the program above it prints
//   <!-- setup       code that comes before the next block and is not shown
//   -->
//
// A comment `// → text` says what its line gives, and is compared with it:
//
//   console.log(a, b) // → what it prints
//   const value = f() // → the value, as console.log shows it
//   f()               // → the value, or `throws ERR_…`: the code of the error
//
// Programs that import ./redis are run by the tests on a real Redis, which put the addresses of their
// servers in the place of those in the document (test/redis/example/documents.test.ts).
//
// In expected text `…` stands for anything within the line. Other languages are not touched.

/** A program as it stands in a Markdown file. */
export interface Program {
  readonly file: string
  /** Of its first block. */
  readonly line: number
  readonly language: 'ts' | 'js'
  readonly run: boolean
  code: string
  /** What it prints, where a block says so. */
  output?: string
}

interface Block {
  readonly line: number
  readonly language: string
  readonly words: string
  readonly code: string
}

/** The programs of a Markdown file, in order. */
export function programsOf(file: string, markdown: string): Program[] {
  const programs: Program[] = []
  let setup = ''
  for (const { line, language, words, code } of blocksOf(file, markdown)) {
    const before = programs.at(-1)
    if (language === 'setup') {
      setup += `${code}\n`
    } else if (language === 'text' && words === 'output' && before) {
      before.output = code
    } else if (language === 'ts' || language === 'js') {
      if (words === 'continue' && before) before.code += `\n${setup}${code}`
      else programs.push({ file, line, language, run: runs(file, line, words), code: setup + code })
      setup = ''
    }
  }
  return programs
}

function runs(file: string, line: number, words: string): boolean {
  if (words === '' || words === 'no-run') return words === ''
  throw new Error(`${file}:${line}: unknown words after the language: ${words}`)
}

function* blocksOf(file: string, markdown: string): Generator<Block> {
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string
    const fence = line.startsWith('<!-- setup') ? ['', 'setup'] : /^```(\S*) *(.*)$/.exec(line)
    if (!fence) continue
    const [, language = '', words = ''] = fence
    const end = lines.indexOf(language === 'setup' ? '-->' : '```', at + 1)
    if (end < 0) throw new Error(`${file}:${at + 1}: a block has no end`)
    yield { line: at + 1, language, words, code: lines.slice(at + 1, end).join('\n') }
    at = end
  }
}

/** What a comment `// → …` promises. */
export interface Promised {
  /** In the code of the program, from 1. */
  readonly line: number
  readonly text: string
}

/** The promises of a program, and the program with each of them turned into a report. */
export function instrument(code: string): { code: string; promised: Promised[] } {
  const promised: Promised[] = []
  const lines = code.split('\n').map((line, index) => {
    const found = /^(\s*)(.+?)\s*\/\/ → (.+)$/.exec(line)
    if (!found) return line
    const [, indent, statement, text] = found as unknown as [string, string, string, string]
    const number = index + 1
    promised.push({ line: number, text })
    return indent + reporting(statement, number, text)
  })
  return { code: lines.join('\n'), promised }
}

function reporting(statement: string, line: number, text: string): string {
  const printed = /^console\.log\((.*)\)$/.exec(statement)
  if (printed) return `docs.print(${line}, ${printed[1]})`
  const named = /^const (\w+)(?:: [^=]+)? = /.exec(statement)
  if (named) return `${statement}; docs.show(${line}, ${named[1]})`
  if (text.startsWith('throws ')) return `await docs.fails(${line}, async () => ${statement})`
  return `docs.show(${line}, ${statement})`
}

/** Whether `actual` is what `expected` says; `…` stands for anything within a line. */
export function fits(actual: string, expected: string): boolean {
  const pattern = expected
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`, 'u').test(actual)
}
