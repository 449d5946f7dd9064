import { asUnavailable } from '../../adapters/redis/ioredis/redis-errors.ts'

/** What went wrong and what to do about it, in the words of `health()`. */
export interface Fault {
  readonly what: string
  readonly fix: string
}

/** Options of `redis()` as the options of the commands are called. */
const OPTION_NAMES: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\btls\.ca\b/g, '--tls-ca'],
  [/\btls\.servername\b/g, '--tls-servername'],
  [/\bset password, or credentials in url\b/g, 'set REDIS_PASSWORD or give --password-stdin'],
]

export function faultOf(error: unknown): Fault {
  let text = asUnavailable(error).message
  for (const [pattern, name] of OPTION_NAMES) text = text.replace(pattern, name)
  const colon = text.indexOf(': ')
  if (colon < 0) return { what: withoutStop(text), fix: 'See the log of the server.' }
  const fix = text.slice(colon + 2)
  return { what: text.slice(0, colon), fix: fix.charAt(0).toUpperCase() + fix.slice(1) }
}

/** The first word of what Redis replied, which is its kind. */
export function kindOfReply(error: Error): string {
  return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR'
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '')
}
