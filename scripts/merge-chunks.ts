// The bundler makes a file of its own for each set of entries that share something, which is half a
// dozen small ones, and Node has to find and load each of them at every start of a program. All that
// '.' shares with other entries becomes one file, but for what only './llm' and './testing', which load
// whole caches too, have in common with it.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
/** Entries that load everything anyway. */
const WHOLE = ['index.js', 'llm.js', 'testing.js']
/** For side effects, of which no file of this package has any. */
const BARE = /import"\.\/chunk-[A-Z0-9]{8}\.js";/g
const IMPORT = /(?:from|import)"\.\/(chunk-[A-Z0-9]{8}\.js)"/g

const files = readdirSync(dist).filter((name) => name.endsWith('.js'))
const texts = new Map(files.map((name) => [name, readFileSync(dist + name, 'utf8')]))

function reachedFrom(name: string, found = new Set<string>()): Set<string> {
  for (const [, chunk] of (texts.get(name) ?? '').matchAll(IMPORT)) {
    if (chunk === undefined || found.has(chunk)) continue
    found.add(chunk)
    reachedFrom(chunk, found)
  }
  return found
}

function exportsOf(name: string): string[] {
  const [, list = ''] = /export\{([^{}]*)\}/.exec(texts.get(name) ?? '') ?? []
  return list.split(',').map((one) => one.split(' as ').at(-1) as string)
}

const others = files.filter((name) => !name.startsWith('chunk-') && !WHOLE.includes(name))
const byOthers = new Set(others.flatMap((name) => [...reachedFrom(name)]))
const shared = [...reachedFrom('index.js')].filter((chunk) => byOthers.has(chunk)).sort()

const names = shared.flatMap(exportsOf)
const twice = names.filter((name, at) => names.indexOf(name) !== at)
if (twice.length > 0) throw new Error(`two chunks export ${twice.join(', ')}: rename one of them`)

const hash = createHash('sha256').update(shared.join()).digest('hex').slice(0, 8).toUpperCase()
// As long as the names that it replaces, so that the source maps of the others stay true.
const merged = `chunk-${hash}.js`
await build({
  stdin: {
    contents: shared.map((chunk) => `export * from './${chunk}'`).join('\n'),
    resolveDir: dist,
  },
  outfile: dist + merged,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  packages: 'external',
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  logLevel: 'error',
  // They belong to this package, whose code has no side effects; that must not drop what is exported.
  ignoreAnnotations: true,
})
for (const [name, text] of texts) {
  if (shared.includes(name)) {
    rmSync(dist + name)
    rmSync(`${dist}${name}.map`)
    continue
  }
  const pointed = text
    .replace(BARE, (whole) => ' '.repeat(whole.length))
    .replace(IMPORT, (whole, chunk: string) =>
      shared.includes(chunk) ? whole.replace(chunk, merged) : whole,
    )
  if (pointed !== text) writeFileSync(dist + name, pointed)
}
console.log(`merge-chunks: ${shared.length} files are ${merged}`)
