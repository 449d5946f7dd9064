import type { Row, SceneEntry } from './catalogue.ts'
import { runChild } from './harness/run-child.ts'
import type { Measured } from './harness/scene.ts'
import { median, relativeError } from './harness/statistics.ts'
import { digits } from './table.ts'

/** A row with what was measured for it. */
export interface Figure extends Row {
  readonly value: number
  /** Standard error over the processes, as a share of the value. */
  readonly error: number
  readonly verdict: 'ok' | 'MISSED' | ''
  /** The median of each process. */
  readonly processes: readonly number[]
  readonly parts: Readonly<Record<string, number>>
}

export interface SceneRun {
  readonly folder: string
  readonly quick: boolean
  readonly onProcess: (done: number) => void
}

/** Above it more processes run, up to three times as many. */
const MOST_ERROR = 0.05

const child = new URL('./harness/child.ts', import.meta.url)

/** Runs a scene in as many processes as it takes, and gives its figures. */
export async function runScene(entry: SceneEntry, run: SceneRun): Promise<Figure[]> {
  const processes = run.quick ? Math.min(2, entry.processes) : entry.processes
  const most = run.quick ? processes : (entry.most ?? processes * 3)
  const rounds = run.quick ? { rounds: 30, sliceMs: 1 } : { rounds: 100, sliceMs: 1 }
  const settings = JSON.stringify({ quick: run.quick, rounds })
  const results: (readonly Measured[])[] = []
  let figures: Figure[] = []
  while (results.length < processes || (results.length < most && anyUnsure(figures))) {
    const flags = entry.flags ?? []
    results.push(await runChild<Measured[]>(child, [entry.name, run.folder, settings], { flags }))
    run.onProcess(results.length)
    figures = entry.rows.map((row) => figureOf(row, results))
  }
  return figures
}

function anyUnsure(figures: readonly Figure[]): boolean {
  // Bytes that should be 0 have no relative error to speak of.
  return figures.some(({ error, unit }) => unit !== 'bytes' && error > MOST_ERROR)
}

function figureOf(row: Row, results: readonly (readonly Measured[])[]): Figure {
  const measured = results.map((result) => {
    const found = result.find(({ id }) => id === row.id)
    if (!found) throw new Error(`the scene gave no figure '${row.id}'`)
    return found
  })
  const processes = measured.map(({ samples }) => median(samples))
  const value = median(processes)
  const error =
    processes.length > 1 ? relativeError(processes) : relativeError(measured[0]?.samples ?? [])
  const names = Object.keys(measured[0]?.parts ?? {})
  const parts = names.map((name) => [name, median(measured.map((one) => one.parts?.[name] ?? 0))])
  const missed = row.target !== undefined && value > row.target
  const verdict = row.target === undefined ? '' : missed ? 'MISSED' : 'ok'
  return { ...row, value, error, verdict, processes, parts: Object.fromEntries(parts) }
}

/** The figure as a line of the table. */
export function lineOf({ title, value, unit, target, error, verdict, parts }: Figure): string[] {
  const shown = Object.entries(parts).map(([name, part]) => `${name} ${digits(part)}`)
  return [
    title,
    `${digits(value)} ${unit}`,
    target === undefined ? '' : `<= ${target}`,
    unit === 'bytes' ? '' : `±${(error * 100).toFixed(1)} %`,
    verdict,
    shown.join(', '),
  ]
}
