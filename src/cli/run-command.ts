import { isResilienceError } from '../kernel/errors.ts'
import { unknownName } from '../kernel/options.ts'
import type { CliWorld, ExitCode } from './cli-world.ts'
import { doctor } from './doctor/doctor.ts'
import { inspect } from './inspect/inspect.ts'
import { plain } from './text.ts'
import { USAGE } from './usage.ts'

type Run = (args: readonly string[], world: CliWorld) => Promise<ExitCode>

const COMMANDS: Readonly<Record<string, Run>> = { doctor, inspect }
const HELP = ['help', '--help', '-h']

/** Runs the command that the arguments name. Rejects only for a mistake of ours. */
export async function runCommand(args: readonly string[], world: CliWorld): Promise<ExitCode> {
  const [name, ...rest] = args
  if (name === undefined) {
    world.err.write(USAGE)
    return 2
  }
  if (HELP.includes(name)) {
    world.out.write(USAGE)
    return 0
  }
  try {
    const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (!run) throw unknownName(name, [...Object.keys(COMMANDS), '--help'], 'unknown command')
    return await run(rest, world)
  } catch (error) {
    if (!isResilienceError(error)) throw error
    const of = Object.hasOwn(COMMANDS, name) ? ` ${name}` : ''
    world.err.write(
      `resilient-cache${of}: ${plain(error.message)}\nTry resilient-cache${of} --help\n`,
    )
    return error.code === 'ERR_INVALID_OPTION' ? 2 : 1
  }
}
