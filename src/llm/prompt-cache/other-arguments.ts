import { ResilienceError } from '../../kernel/errors.ts'
import { valueKindOf } from '../../kernel/value-kind.ts'
import { keyOf } from '../../key/key-of.ts'

/** How a request is sent: it changes when the answer comes, and not what it says. */
const SENDING = new Set(['signal', 'timeout', 'maxRetries', 'idempotencyKey'])

/**
 * The key of what a call was given beside its request; empty where that is nothing.
 *
 * The second argument may be the request options of an SDK: those that only say how to send it do not
 * count. Trailing `undefined` does not count either, nor does an `AbortSignal`.
 * @throws ERR_UNCACHEABLE_KEY for functions, cycles and instances of classes
 */
export function textOfOtherArguments(args: readonly unknown[]): string {
  const others = args.slice(1).map((value, index) => withoutSending(value, index === 0))
  if (others.every((value) => value === undefined)) return ''
  try {
    return keyOf([others])
  } catch (cause) {
    throw new ResilienceError(
      'ERR_UNCACHEABLE_KEY',
      'An argument after the request cannot be told apart by its contents; pass plain data, or bind it in the function',
      { cause },
    )
  }
}

function withoutSending(value: unknown, isSecond: boolean): unknown {
  if (value instanceof AbortSignal) return undefined
  if (!isSecond || !isPlain(value)) return value
  const rest = { ...value }
  for (const [name, part] of Object.entries(value)) {
    if (SENDING.has(name)) delete rest[name]
    // They come sorted, with names in lower case.
    else if (part instanceof Headers) rest[name] = { headers: [...part] }
  }
  const wasOnlyThat = Object.keys(value).length > 0 && Reflect.ownKeys(rest).length === 0
  return wasOnlyThat ? undefined : rest
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const kind = valueKindOf(value)
  return kind === 'object' || kind === 'null-prototype object'
}
