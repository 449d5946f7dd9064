import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const START_MS = 15_000
const STOP_MS = 5_000

/** A process of ours that serves HTTP. */
export interface Child {
  readonly url: string
  /** Resolves when the process has ended. */
  stop(): Promise<void>
}

/**
 * Starts a module that calls `serve()` and gives it back once it listens.
 *
 * @param onCrash - called when it ends by itself or does not stop in order
 */
export async function startChild(
  module: URL,
  args: readonly string[],
  onCrash: (error: Error) => void,
): Promise<Child> {
  const file = fileURLToPath(module)
  const child = fork(file, args, {
    // A group of its own: Ctrl-C then reaches the parent alone, which stops its children in order.
    detached: true,
    execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  let stopping = false
  const stop = async () => {
    stopping = true
    child.kill('SIGTERM')
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(kill)
  }
  child.once('exit', (code, signal) => {
    // Whoever is stopped in order exits with 0, also when it crashed a moment before.
    if (stopping && code === 0) return
    onCrash(new Error(`${file} ended unexpectedly (${signal ?? `code ${code}`})`))
  })

  const started = once(child, 'message', { signal: AbortSignal.timeout(START_MS) })
  const first = await Promise.race([started, ended]).catch(() => undefined)
  const url = (first?.[0] as { url?: string } | null | undefined)?.url
  if (url) return { url, stop }
  await stop()
  throw new Error(`${file} did not start; its own message is above`)
}
