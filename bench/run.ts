// `npm run bench`: what the library promises about itself, measured. See README.md.
import { parseArgs } from 'node:util'
import { scenes } from './catalogue.ts'
import { type Figure, lineOf, runScene } from './figures.ts'
import { buildLibrary } from './harness/build.ts'
import { describeMachine, versionsOf } from './harness/machine.ts'
import { writeResults } from './harness/results-file.ts'
import { layOut } from './table.ts'

const USAGE = `npm run bench -- [--only <name>] [--quick] [--json] [--check]
  --only <name>  only scenes or figures whose name contains it
  --quick        fewer rounds: a first impression in a minute
  --json         prints the results as JSON instead of a table
  --check        exit code 1 when a target is missed`

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  console.log(USAGE)
  process.exit()
}

const { only } = flags
const chosen = scenes.filter(
  ({ name, rows }) =>
    only === undefined || name.includes(only) || rows.some(({ id }) => id.includes(only)),
)
if (chosen.length === 0) {
  console.error(`--only ${only}: there is ${scenes.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const machine = describeMachine()
const versions = versionsOf(['lru-cache', 'ioredis', 'opossum', 'tinybench', 'esbuild'])
progress(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load}\n`)
const folder = await buildLibrary()
const figures: Figure[] = []
for (const entry of chosen) {
  const onProcess = (done: number): void => progress(`\r\u001b[K${entry.name}: process ${done}`)
  figures.push(...(await runScene(entry, { folder, quick: flags.quick, onProcess })))
}
progress('\r\u001b[K')

const command = ['npm run bench', ...process.argv.slice(2)].join(' -- ').replaceAll(' -- --', ' --')
const results = {
  name: 'figures',
  date: new Date().toISOString(),
  command,
  machine,
  versions,
  figures,
}
if (flags.json) console.log(JSON.stringify(results, null, 2))
else
  console.log(layOut([['', 'figure', 'target', 'error', '', 'of which'], ...figures.map(lineOf)]))
// A part of the table is not a result to publish.
if (only === undefined && !flags.quick) progress(`\n${writeResults('figures', results)}\n`)
if (flags.check && figures.some(({ verdict }) => verdict === 'MISSED')) process.exitCode = 1

function progress(text: string): void {
  process.stderr.write(text)
}
