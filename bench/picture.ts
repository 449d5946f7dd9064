// Draws docs/images/l1-hit.svg from the newest results of `npm run bench:compare`:
// `node bench/picture.ts [results.json]`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { digits } from './table.ts'

interface Results {
  readonly date: string
  readonly machine: { readonly cpu: string; readonly node: string }
  readonly versions: Readonly<Record<string, string>>
  readonly libraries: ReadonlyArray<{
    readonly id: string
    readonly variant: string
    readonly referenceNs: number
    readonly figures: Readonly<Record<string, { readonly value: number }>>
  }>
}

interface Bar {
  readonly label: string
  readonly ns: number
  readonly kind: 'ours' | 'reference' | 'rival'
}

const OURS = '@org/resilient-cache'
/** The setups shown of each library: its plain one and its fastest. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  [OURS]: ['cached'],
  'lru-cache': ['get', 'fetch'],
  'layered-loader': ['get'],
  'async-cache-dedupe': ['default'],
  'cache-manager': ['default'],
  bentocache: ['serialize: false', 'default'],
  cacheable: ['getOrSet, useClone: false', 'wrap'],
}

const WIDTH = 880
const LEFT = 356
const RIGHT = 90
const TOP = 84
const STEP = 34
const BAR = 22

const results = fileURLToPath(new URL('./results/', import.meta.url))
const source = process.argv[2] ?? `${results}${newest()}`
const { date, machine, versions, libraries } = JSON.parse(readFileSync(source, 'utf8')) as Results
const folder = new URL('../docs/images/', import.meta.url)
mkdirSync(folder, { recursive: true })
const target = fileURLToPath(new URL('l1-hit.svg', folder))
writeFileSync(target, draw(bars()))
console.log(target)

function newest(): string {
  const files = readdirSync(results).filter((name) => name.endsWith('-compare.json'))
  const last = files.sort().at(-1)
  if (!last) throw new Error('no results yet: run `npm run bench:compare` first')
  return last
}

function bars(): Bar[] {
  return libraries
    .filter(({ id, variant, figures }) => figures.hit && SHOWN[id]?.includes(variant))
    .map(barOf)
    .sort((a, b) => a.ns - b.ns)
}

function barOf({ id, variant, figures, referenceNs }: Results['libraries'][number]): Bar {
  // Of the reference the loop in the harness itself counts, which calls it without an adapter.
  const isReference = id === 'lru-cache' && variant === 'get'
  const version = versions[id] ? ` ${versions[id]}` : ''
  const setup = (SHOWN[id]?.length ?? 0) > 1 ? `, ${variant}` : ''
  return {
    label: `${id}${version}${setup}`,
    ns: isReference ? referenceNs : (figures.hit?.value ?? Number.NaN),
    kind: id === OURS ? 'ours' : isReference ? 'reference' : 'rival',
  }
}

function draw(all: readonly Bar[]): string {
  const height = TOP + all.length * STEP + 82
  const least = 10
  const most = 10 ** Math.ceil(Math.log10(Math.max(...all.map(({ ns }) => ns))))
  const scale = (ns: number): number =>
    ((WIDTH - LEFT - RIGHT) * Math.log10(ns / least)) / Math.log10(most / least)
  const ticks: number[] = []
  for (let ns = least; ns <= most; ns *= 10) ticks.push(ns)
  const end = TOP + all.length * STEP
  const fastest = all[0]?.label ?? ''
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">Time of one awaited L1 hit, one string argument</title>
<desc id="desc">${escaped(all.map(({ label, ns }) => `${label}: ${digits(ns)} ns`).join('; '))}. Fastest: ${escaped(fastest)}.</desc>
<style>
  svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .page { fill: #ffffff; } .text { fill: #1f2328; } .faint { fill: #59636e; } .line { stroke: #d1d9e0; }
  .rival { fill: #afb8c1; } .reference { fill: #6e7781; } .ours { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; } .text { fill: #f0f6fc; } .faint { fill: #9198a1; } .line { stroke: #3d444d; }
    .rival { fill: #4d5660; } .reference { fill: #818b95; } .ours { fill: #4493f8; }
  }
</style>
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
<text class="text" x="24" y="36" font-size="19" font-weight="600">One awaited L1 hit, one string argument</text>
<text class="faint" x="24" y="60" font-size="15">nanoseconds, logarithmic scale, shorter is better</text>
${ticks.map((ns) => tick(LEFT + scale(ns), ns, end)).join('\n')}
${all.map((bar, place) => line(bar, TOP + place * STEP, scale(bar.ns))).join('\n')}
<text class="faint" x="24" y="${end + 50}" font-size="13">${escaped(machine.cpu)}, Node ${machine.node}, ${date.slice(0, 10)}, median of processes</text>
<text class="faint" x="24" y="${end + 68}" font-size="13">Source: bench/results/${escaped(basename(source))}, made by npm run bench:compare</text>
</svg>
`
}

function tick(x: number, ns: number, end: number): string {
  return `<line class="line" x1="${x.toFixed(1)}" y1="${TOP - 6}" x2="${x.toFixed(1)}" y2="${end}"/>
<text class="faint" x="${x.toFixed(1)}" y="${end + 20}" font-size="14" text-anchor="middle">${ns.toLocaleString('en-US')}</text>`
}

function line({ label, ns, kind }: Bar, y: number, width: number): string {
  const weight = kind === 'ours' ? ' font-weight="600"' : ''
  const middle = y + BAR / 2 + 5
  return `<text class="text" x="${LEFT - 10}" y="${middle}" font-size="15" text-anchor="end"${weight}>${escaped(label)}</text>
<rect class="${kind}" x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3"/>
<text class="text" x="${(LEFT + width + 8).toFixed(1)}" y="${middle}" font-size="15"${weight}>${digits(ns)}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
