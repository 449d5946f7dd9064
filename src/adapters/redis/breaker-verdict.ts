import { isResilienceError } from '../../kernel/errors.ts'
import { errorClass } from './session-errors.ts'

/**
 * What an error says of the server. `failure`: it cannot serve. `answered`: it serves, and only this
 * operation was wrong or refused. `silent`: nothing, the value never got there.
 */
export type BreakerVerdict = 'failure' | 'answered' | 'silent'

/** A wrong key, a script that is not there yet, keys that lie apart: the server is well. */
const OF_ONE_OPERATION: ReadonlySet<string> = new Set(['WRONGTYPE', 'NOSCRIPT', 'CROSSSLOT'])
/** The server takes nothing, but can be read. */
const OF_WRITES: ReadonlySet<string> = new Set(['OOM', 'MISCONF', 'NOREPLICAS', 'READONLY'])

/** How the breaker of one kind of operations takes an error. */
export function breakerVerdict(error: unknown, kind: 'read' | 'write'): BreakerVerdict {
  // Too large, or not to be encoded or decoded.
  if (isResilienceError(error, 'ERR_UNSERIALIZABLE')) return 'silent'
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const name = replyClass(cause)
    if (OF_ONE_OPERATION.has(name)) return 'answered'
    if (OF_WRITES.has(name)) return kind === 'read' ? 'answered' : 'failure'
  }
  return 'failure'
}

/** Servers before Redis 7 put the class of an error within a script behind a text of their own. */
function replyClass(error: Error): string {
  const name = errorClass(error)
  return name === 'ERR' ? (/: -([A-Z]{3,})\b/.exec(error.message)?.[1] ?? name) : name
}
