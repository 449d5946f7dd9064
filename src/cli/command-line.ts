import { parseArgs } from 'node:util'
import { invalidOption, unknownName } from '../kernel/options.ts'

/** Options by name: `flag` stands alone, `text` takes a value. */
export type OptionTable = Readonly<Record<string, 'flag' | 'text'>>

export interface CommandLine {
  readonly words: readonly string[]
  flag(name: string): boolean
  text(name: string): string | undefined
}

/**
 * The words and options of a command.
 * @throws ERR_INVALID_OPTION that names the nearest right option, and never a value
 */
export function parseCommandLine(args: readonly string[], table: OptionTable): CommandLine {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, kind]) => [
      name,
      { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const words: string[] = []
  const found = new Map<string, string | true>()
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    checkOption(token, table)
    if (found.has(token.name)) throw invalidOption(`--${token.name} is given twice`)
    found.set(token.name, token.value ?? true)
  }
  return {
    words,
    flag: (name) => found.get(name) === true,
    text: (name) => found.get(name) as string | undefined,
  }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function checkOption({ name, rawName, value, inlineValue }: OptionToken, table: OptionTable): void {
  const kind = table[name]
  if (kind === undefined || !rawName.startsWith('--')) {
    const names = Object.keys(table).map((known) => `--${known}`)
    throw unknownName(rawName, names, 'unknown option')
  }
  if (kind === 'flag' && value !== undefined) throw invalidOption(`--${name} takes no value`)
  if (kind === 'text' && (value === undefined || value === '')) {
    throw invalidOption(`--${name} needs a value`)
  }
  // `--password --json` is more likely a forgotten value than a password.
  if (kind === 'text' && !inlineValue && value?.startsWith('--')) {
    throw invalidOption(
      `--${name} needs a value; one that begins with -- is written --${name}=<value>`,
    )
  }
}
