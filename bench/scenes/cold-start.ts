import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Measured, Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const RUNS = 15

/**
 * From the start of a process to its being ready, and what it then holds: with a heavy module (the
 * TypeScript compiler) imported at the start, and with the same module behind `lazy()`. Each program
 * says so itself, so that the end of the process is not in it. The third one uses the module at once:
 * the time has not gone, it has moved to the first use.
 */
export const scene: Scene = async ({ url, quick }) => {
  const folder = mkdtempSync(join(tmpdir(), 'cold-start-'))
  const heavy = JSON.stringify(import.meta.resolve('typescript'))
  const library = `import { lazy } from ${JSON.stringify(url('index.js'))}`
  const ready = 'console.log(Date.now(), process.memoryUsage().rss)'
  const behind = `const ts = lazy(() => import(${heavy}))`
  const programs = {
    eager: [library, `import ts from ${heavy}`, 'lazy(() => ts.version)', ready],
    lazy: [library, behind, ready],
    used: [library, behind, 'await ts.get()', ready],
  }
  try {
    const found = measure(folder, programs, quick ? 5 : RUNS)
    const { eager, lazy, used } = found
    if (!eager || !lazy || !used) throw new Error('a program was not measured')
    const of = (name: 'ms' | 'mb') => ({
      eager: median(eager.map((run) => run[name])),
      lazy: median(lazy.map((run) => run[name])),
    })
    const rss = of('mb')
    const result: Measured = {
      id: 'cold-start',
      samples: lazy.map(({ ms }, run) => ms / (eager[run]?.ms as number)),
      parts: {
        eagerMs: of('ms').eager,
        lazyMs: of('ms').lazy,
        lazyUsedMs: median(used.map(({ ms }) => ms)),
        eagerRssMb: rss.eager,
        lazyRssMb: rss.lazy,
      },
    }
    return [result]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Run {
  readonly ms: number
  readonly mb: number
}

function measure(
  folder: string,
  programs: Record<string, readonly string[]>,
  runs: number,
): Record<string, Run[]> {
  const names = Object.keys(programs)
  for (const name of names) {
    writeFileSync(join(folder, `${name}.mjs`), (programs[name] ?? []).join('\n'))
    // The first one reads the files from the disk.
    start(join(folder, `${name}.mjs`))
  }
  const found: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let run = 0; run < runs; run++) {
    for (const name of run % 2 ? names.toReversed() : names) {
      found[name]?.push(start(join(folder, `${name}.mjs`)))
    }
  }
  return found
}

function start(program: string): Run {
  const startedAt = Date.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${program} failed: ${stderr}`)
  const [readyAt = 0, rss = 0] = stdout.split(' ').map(Number)
  return { ms: readyAt - startedAt, mb: rss / 2 ** 20 }
}
