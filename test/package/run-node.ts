import { spawnSync } from 'node:child_process'

export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs Node in a process of its own, so that nothing of the test runner helps the code under test. */
export function runNode(args: readonly string[], cwd: string): Run {
  // The flags and loaders of the runner must not reach the child.
  const { NODE_OPTIONS: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args], {
    cwd,
    env,
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}
