import { fork } from 'node:child_process'
import { once } from 'node:events'

const LONGEST_MS = 180_000

/**
 * Runs a file in a process of its own and gives the one message it sends.
 * @throws when it ends without one, with the end of what it wrote to stderr
 */
export async function runChild<T>(
  file: URL,
  args: readonly string[],
  options: { flags?: readonly string[]; env?: Record<string, string> } = {},
): Promise<T> {
  const child = fork(file, args, {
    execArgv: [...(options.flags ?? [])],
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  })
  let message: T | undefined
  let complaint = ''
  child.on('message', (received) => {
    message = received as T
  })
  child.stderr?.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(-4000)
  })
  const [code, signal] = await once(child, 'close')
  if (message === undefined) {
    throw new Error(
      `${file.pathname} ${args[0]} ended (${signal ?? code}) without a result\n${complaint}`,
    )
  }
  return message
}
