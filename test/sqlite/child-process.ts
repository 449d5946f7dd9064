import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Runs `body` as a module in a process of its own, with `open`, `put` and `say` at hand; with
 * `largestFileKb` no file may grow beyond that, as on a full disk.
 */
export function startChild(path: string, body: string, largestFileKb?: number): ChildProcess {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
  const source = `
    import { sqlite } from ${at('../../src/sqlite.ts')}
    import { realClock } from ${at('../../src/kernel/real-clock.ts')}
    const path = ${JSON.stringify(path)}
    const say = (text) => process.stdout.write(text + '\\n')
    const open = (options = {}) => {
      // On a busy machine the thread may take longer to start than the store keeps the process for.
      const patience = setTimeout(() => {}, 15_000)
      let session
      return new Promise((resolve) => {
        session = sqlite({ path, timeout: 5000, ...options }).open({
          clock: realClock, random: Math.random, space: 's',
          onState: (state) => {
            clearTimeout(patience)
            resolve({ session, state })
          },
        })
      })
    }
    const put = (session, key, text) => session.write({
      key, bytes: Buffer.from(text), freshUntil: Date.now() + 1e6, keepUntil: Date.now() + 1e6,
    })
    ${body}
  `
  const args = ['--input-type=module-typescript', '-e', source]
  const stdio = ['pipe', 'pipe', 'pipe'] as const
  if (largestFileKb === undefined) return spawn(process.execPath, args, { stdio: [...stdio] })
  const limited = `trap '' XFSZ; ulimit -f ${largestFileKb}; exec "$0" "$@"`
  return spawn('bash', ['-c', limited, process.execPath, ...args], { stdio: [...stdio] })
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}

export function ended(child: ChildProcess): Promise<Ended> {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    err += chunk
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, out, err }))
  })
}

/** Resolves when the child has said so much. */
export function said(child: ChildProcess, text: string): Promise<void> {
  let out = ''
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      out += chunk
      if (out.includes(text)) resolve()
    })
    child.on('close', () => reject(new Error(`the child ended after: ${out}`)))
  })
}
