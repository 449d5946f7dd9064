import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guardChild } from '../servers/guard.ts'
import { until } from '../servers/until.ts'

/** A process of its own, driven by what it says and what it is told. */
export interface Program {
  readonly child: ChildProcess
  /** Everything it has printed, on both streams. */
  readonly output: () => string
  /** Waits for a line of its output. */
  said(text: string): Promise<void>
  /** Tells it something: `told(text)` within the program resolves. */
  tell(text: string): void
  /** Its exit code, once it has ended by itself. */
  ended(withinMs: number): Promise<number | null>
}

/**
 * Runs `body` as a module, with `createCache`, `redis`, `say(text)` and `told(text)` at hand. An
 * unhandled rejection ends it with code 9.
 */
export function startProgram(body: string, nodeOptions: readonly string[] = []): Program {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
  const source = `
    import { createCache } from ${at('../../../src/index.ts')}
    import { redis } from ${at('../../../src/redis.ts')}
    process.on('unhandledRejection', (error) => {
      console.log('unhandled', error)
      process.exit(9)
    })
    const say = (text) => console.log(text)
    let heard = ''
    const waiting = []
    // What it may be told keeps it alive only while it waits for it.
    process.stdin.unref()
    process.stdin.setEncoding('utf8').on('data', (text) => {
      heard += text
      for (const look of waiting) look()
    })
    const told = (text) => new Promise((resolve) => {
      const look = () => {
        if (!heard.includes(text)) return
        process.stdin.unref()
        resolve()
      }
      process.stdin.ref()
      waiting.push(look)
      look()
    })
    ${body}
  `
  const args = [...nodeOptions, '--input-type=module-typescript', '--no-warnings', '-e', source]
  // The sources are compiled once, not for each program.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'rc-compile-cache') }
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
  guardChild(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const running = () => child.exitCode === null && child.signalCode === null
  return {
    child,
    output: () => output,
    said: async (text) => {
      const found = await until(
        `the program says ${text}`,
        () => (output.includes(text) ? 'said' : !running() && 'ended'),
        { withinMs: 180_000 },
      )
      if (found === 'ended') throw new Error(`The program ended after:\n${output}`)
    },
    tell: (text) => void child.stdin.write(text),
    ended: async (withinMs) => {
      await until(`the program ends by itself; it said:\n${output}`, () => !running(), { withinMs })
      return child.exitCode
    },
  }
}
