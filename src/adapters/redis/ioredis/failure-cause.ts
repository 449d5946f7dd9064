import { isResilienceError } from '../../../kernel/errors.ts'

/** Of an address that did not answer in time. */
export const TIME_OUT = 'time-out'
/** Of a server that answers, but does not know the questions. */
export const NO_SENTINEL = 'not a sentinel'

/** One word for why a server could not be used: a system error, the first word of a reply. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if (isResilienceError(error)) {
    return firstWord(error.message) ?? (error.cause ? causeOf(error.cause) : error.code)
  }
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string' && code !== '') return code === 'ETIMEDOUT' ? TIME_OUT : code
  return firstWord(error.message) ?? error.name
}

/** Causes that only somebody who changes a setting can repair. */
export function isAuthFailure(cause: string): boolean {
  return cause === 'WRONGPASS' || cause === 'NOAUTH' || cause === 'NOPERM'
}

const REMEDIES: readonly (readonly [pattern: RegExp, remedy: string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'check the host names and the DNS of this machine'],
  [/^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH)$/, 'check that the servers run there'],
  [/^(WRONGPASS|NOAUTH|NOPERM)$/, 'check user name and password'],
  [/^not a sentinel$/, 'check the ports of the sentinels, 26379 by default'],
  [/^time-out$/, 'check the network and the firewall'],
  [/CERT|TLS|SSL|EPROTO|SIGNATURE/, 'check the TLS options'],
  [/^READONLY$/, 'wait until a master is promoted'],
]

/** What to do about these causes, most frequent cause first. */
export function remedyOf(causes: Iterable<string>): string | undefined {
  for (const cause of causes) {
    const found = REMEDIES.find(([pattern]) => pattern.test(cause))
    if (found) return found[1]
  }
  return undefined
}

/** `ENOTFOUND (2), time-out`. */
export function countCauses(causes: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const cause of causes) counts.set(cause, (counts.get(cause) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([cause, count]) => (count === 1 ? cause : `${cause} (${count})`))
    .join(', ')
}

function firstWord(message: string): string | undefined {
  return /^[A-Z][A-Z_]{2,}\b/.exec(message)?.[0]
}
