// The build refuses a package.json that lies: `exports`, the entries of tsup.config.ts and the files
// in dist must agree, in both directions.
import { existsSync, readFileSync } from 'node:fs'
import { entries, programs, workers } from '../tsup.config.ts'

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  exports: Record<string, string | Record<string, string>>
  bin: Record<string, string>
}

const problems: string[] = []
const sameText = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

const { './package.json': own, ...exported } = manifest.exports
if (own !== './package.json') problems.push("exports lacks './package.json'")

for (const name of Object.keys(entries)) {
  const subpath = name === 'index' ? '.' : `./${name}`
  // types first: a resolver takes the first condition that fits.
  const expected = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }
  if (!sameText(exported[subpath], expected)) {
    problems.push(`exports['${subpath}'] must be ${JSON.stringify(expected)}`)
  }
  delete exported[subpath]
}
for (const subpath of Object.keys(exported)) {
  problems.push(`exports['${subpath}'] has no entry in tsup.config.ts`)
}

const bins = Object.keys(programs).map((name) => `./dist/${name}.js`)
if (!sameText(Object.values(manifest.bin), bins)) {
  problems.push(`bin must name ${bins.join(', ')} and nothing else`)
}

const files = [
  ...Object.keys(entries).flatMap((name) => [`${name}.js`, `${name}.d.ts`]),
  ...Object.keys({ ...workers, ...programs }).map((name) => `${name}.js`),
]
for (const file of files) {
  if (!existsSync(new URL(`dist/${file}`, root))) problems.push(`dist/${file} was not built`)
}

if (problems.length > 0) {
  for (const problem of problems) console.error(`check-exports: ${problem}`)
  process.exit(1)
}
console.log(`check-exports: ${Object.keys(entries).length} entries agree`)
