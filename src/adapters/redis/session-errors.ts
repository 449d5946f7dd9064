import { ResilienceError } from '../../kernel/errors.ts'

export function unavailable(message: string, cause?: unknown): ResilienceError {
  return new ResilienceError('ERR_L2_UNAVAILABLE', message, cause === undefined ? {} : { cause })
}

export function notServing(cause?: unknown): ResilienceError {
  return unavailable(
    'Redis cannot serve at present: see `health()` for the reason; it is tried again by itself',
    cause,
  )
}

export function takesNoWrites(): ResilienceError {
  return unavailable(
    'this server is used for reading only, because it may not be the master any more: ' +
      'bring the master or its sentinels back',
  )
}

export function ofAnotherPast(): ResilienceError {
  return unavailable(
    'this server holds data of another past, and it may not be written to, so that it cannot be ' +
      'cleared: bring the master or its sentinels back',
  )
}

export function withoutScripts(): ResilienceError {
  return unavailable(
    'Redis does not let this user run scripts, so there are no leases, nothing is atomic and other ' +
      'processes are not told: grant +eval, +evalsha and +script|load to get them',
  )
}

export function cannotListen(prefix: string, cause: Error): ResilienceError {
  const why = /^[A-Z]+$/.test(errorClass(cause)) ? errorClass(cause) : 'see its cause'
  return unavailable(
    `Redis does not let this user listen to the channels ${prefix}:* (${why}), so what other ` +
      'processes change is only seen when the copies in L1 end: grant the user ' +
      `&${prefix}:* and +subscribe (+ssubscribe and +sunsubscribe in Cluster)`,
    cause,
  )
}

export function sessionClosed(): ResilienceError {
  return new ResilienceError(
    'ERR_CLOSED',
    'This session of the Redis store is closed. Open the store again, or close the cache later.',
  )
}

/** The first word of what Redis says is the class of an error: OOM, MISCONF, NOPERM and so on. */
export function errorClass(error: unknown): string {
  return error instanceof Error ? (/^\S*/.exec(error.message)?.[0] ?? '') : ''
}

/** Whether the server, or its rules for this user, will never run scripts. */
export function refusesScripts(error: unknown): boolean {
  if (errorClass(error) === 'NOPERM') return true
  return error instanceof Error && /^ERR unknown command/i.test(error.message)
}
