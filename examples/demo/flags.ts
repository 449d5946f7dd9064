import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly seed: string
  readonly requests: number
  readonly concurrency: number
  /** Print the result as JSON on stdout, and the progress on stderr. */
  readonly json: boolean
}

export const USAGE = `npm run demo -- [--requests=2000] [--concurrency=20] [--seed=1] [--json]

The same seeded stream of tax documents is sent to a small service three times: without the library,
with it, and after a restart of the service.`

/** @throws Error that says which flag is wrong. `undefined` when help was asked for. */
export function readFlags(args: readonly string[]): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      requests: { type: 'string', default: '2000' },
      concurrency: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    seed: values.seed,
    requests: wholeNumber('requests', values.requests, 10, 100_000),
    concurrency: wholeNumber('concurrency', values.concurrency, 1, 200),
    json: values.json,
  }
}

function wholeNumber(flag: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= low && value <= high) return value
  throw new Error(`--${flag} must be a whole number from ${low} to ${high}, not '${text}'`)
}
