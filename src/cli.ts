#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import type { Output } from './cli/cli-world.ts'
import { runCommand } from './cli/run-command.ts'
import { preciseClock, realRandom } from './kernel/real-clock.ts'

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => {
      stream.write(text)
    },
    isTty: stream.isTTY === true,
    columns: stream.columns ?? 100,
  }
}

// `| head` closes the pipe: nobody reads the rest.
process.stdout.on('error', () => process.exit(1))

runCommand(process.argv.slice(2), {
  env: process.env,
  clock: preciseClock,
  random: realRandom,
  out: outputOf(process.stdout),
  err: outputOf(process.stderr),
  readStdin: () => text(process.stdin),
}).then(
  (code) => {
    process.exitCode = code
  },
  (error: Error) => {
    process.stderr.write(`resilient-cache: ${error.stack}\n`)
    process.exitCode = 70
  },
)
