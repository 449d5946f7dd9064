// `npm run bench:compare`: the same scenes with other libraries. See ../README.md.
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { buildLibrary } from '../harness/build.ts'
import { describeMachine, versionsOf } from '../harness/machine.ts'
import { writeResults } from '../harness/results-file.ts'
import { runChild } from '../harness/run-child.ts'
import { median, relativeError } from '../harness/statistics.ts'
import { digits, layOut } from '../table.ts'
import { compareScenes } from './scenes.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

interface Entry {
  readonly adapter: string
  readonly id: string
  readonly variant: string
  readonly objectKeys: string
  /** By scene, the median of each process. */
  readonly processes: Record<string, number[]>
}

interface AdapterModule {
  readonly id: string
  readonly variants: readonly string[]
  readonly objectKeys: string
}

const machine = describeMachine()
const packages = [
  'async-cache-dedupe',
  'bentocache',
  'cache-manager',
  'cacheable',
  'keyv',
  'layered-loader',
  'lru-cache',
]
const versions = versionsOf(packages, new URL('./node_modules/', import.meta.url))
process.env.RESILIENT_CACHE_DIST = await buildLibrary()

const entries: Entry[] = []
for (const file of readdirSync(new URL('./adapters/', import.meta.url)).sort()) {
  const adapter = file.replace(/\.mjs$/, '')
  const { id, variants, objectKeys } = (await import(`./adapters/${file}`)) as AdapterModule
  if (flags.only && !id.includes(flags.only)) continue
  for (const variant of variants) entries.push({ adapter, id, variant, objectKeys, processes: {} })
}

// All libraries once, then all of them again: what the machine does meanwhile meets each of them.
const turns = flags.quick ? 1 : 5
const rounds = flags.quick
  ? { rounds: 20, sliceMs: 1, bursts: 5 }
  : { rounds: 60, sliceMs: 1, bursts: 30 }
const child = new URL('./child.ts', import.meta.url)
for (let turn = 0; turn < turns; turn++) {
  for (const entry of entries) {
    process.stderr.write(`\r\u001b[Kturn ${turn + 1} of ${turns}: ${entry.id}, ${entry.variant}`)
    const args = [entry.adapter, entry.variant, JSON.stringify(rounds)]
    const found = await runChild<Record<string, number[]>>(child, args)
    for (const [scene, samples] of Object.entries(found)) {
      entry.processes[scene] ??= []
      entry.processes[scene].push(median(samples))
    }
  }
}
process.stderr.write('\r\u001b[K')

const libraries = entries.map(({ id, variant, objectKeys, processes }) => {
  const reference = processes.reference ?? []
  const figures: Record<string, { value: number; ratio?: number; error: number }> = {}
  for (const { id: scene, unit } of compareScenes) {
    const values = processes[scene]
    if (!values) continue
    const ratios = values.map((ns, turn) => ns / (reference[turn] as number))
    const ratio = unit === 'ns' ? { ratio: median(ratios) } : {}
    const error = relativeError(unit === 'ns' ? ratios : values)
    figures[scene] = { value: median(values), ...ratio, error }
  }
  return { id, variant, objectKeys, referenceNs: median(reference), figures }
})
const command = ['npm run bench:compare', ...process.argv.slice(2)].join(' ')
const results = {
  name: 'compare',
  date: new Date().toISOString(),
  command,
  machine,
  versions,
  libraries,
}

if (flags.json) console.log(JSON.stringify(results, null, 2))
else console.log(table())
if (!flags.only && !flags.quick) process.stderr.write(`\n${writeResults('compare', results)}\n`)

function table(): string {
  const head = ['', ...compareScenes.map(({ title }) => title)]
  const units = ['', ...compareScenes.map(({ unit }) => unit)]
  const lines = libraries.map(({ id, variant, figures }) => [
    `${id}, ${variant}`,
    ...compareScenes.map(({ id: scene }) => {
      const figure = figures[scene]
      if (!figure) return '-'
      const ratio = figure.ratio === undefined ? '' : ` (${digits(figure.ratio)}x)`
      return `${digits(figure.value)}${ratio}`
    }),
  ])
  return layOut([head, units, ...lines])
}
