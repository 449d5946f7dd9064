import { spawn } from 'node:child_process'

const ROOT = new URL('../../', import.meta.url)

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** `null` when it had to be killed. */
  readonly code: number | null
  readonly ms: number
}

/** Runs a program of its own process over the sources; `src/…` in its imports is this checkout. */
export function runSource(program: string, killAfterMs = 30_000): Promise<Ended> {
  const source = program.replaceAll("'src/", `'${new URL('src/', ROOT).href}`)
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [
      '--experimental-strip-types',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      source,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(killer)
      resolve({ stdout, stderr, code, ms: performance.now() - startedAt })
    })
  })
}
