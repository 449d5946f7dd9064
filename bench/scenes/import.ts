import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Measured, Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const RUNS = 15

/**
 * From the start of a process to its end: a module that imports `.`, and an empty one; one that imports
 * `./redis`, and one that imports ioredis.
 */
export const scene: Scene = async ({ url }) => {
  const folder = mkdtempSync(join(tmpdir(), 'import-'))
  const importing = (name: string, target: string): readonly string[] =>
    program(folder, name, `import ${JSON.stringify(target)}`)
  try {
    return [
      measured('import', program(folder, 'empty.mjs', ''), importing('index.mjs', url('index.js'))),
      measured(
        'import-redis',
        importing('ioredis.mjs', import.meta.resolve('ioredis')),
        importing('redis.mjs', url('redis.js')),
      ),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function program(folder: string, name: string, code: string): readonly string[] {
  const path = join(folder, name)
  writeFileSync(path, code)
  return [path]
}

function measured(id: string, empty: readonly string[], importing: readonly string[]): Measured {
  // The first ones read the files from the disk.
  for (const args of [empty, importing]) timeProcess(args)
  const bare: number[] = []
  const loaded: number[] = []
  for (let run = 0; run < RUNS; run++) {
    if (run % 2 === 0) bare.push(timeProcess(empty))
    loaded.push(timeProcess(importing))
    if (run % 2 === 1) bare.push(timeProcess(empty))
  }
  const samples = loaded.map((ms, run) => ms - (bare[run] as number))
  return { id, samples, parts: { withoutMs: median(bare), withImportMs: median(loaded) } }
}

function timeProcess(args: readonly string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(`node ${args.join(' ')} failed: ${stderr}`)
  return performance.now() - start
}
