import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../results/', import.meta.url)

/** Writes `bench/results/<date>-<name>.json` and gives its path. */
export function writeResults(name: string, results: unknown): string {
  const date = new Date().toISOString().slice(0, 10)
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${date}-${name}.json`, folder)
  writeFileSync(file, `${JSON.stringify(results, rounded, 2)}\n`)
  return fileURLToPath(file)
}

/** Four digits are more than any of these figures is good for. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(4))
    : value
}
