import { ResilienceError } from '../../kernel/errors.ts'
import { type BinaryValue, bytesOf, kindName, valueKindOf } from '../../kernel/value-kind.ts'

// Text of the arguments after the request, the same for equal ones and different for different ones:
// JSON with sorted members, plus what JSON lacks, written so that no two forms begin alike:
//
//   undefined  [1,_]  NaN  Infinity  12n  Date(0)  Uint8Array(AQI=)  Buffer(AQI=)  Headers[["name","value"]]

/** How a request is sent: it changes when the answer comes, and not what it says. */
const SENDING = new Set(['signal', 'timeout', 'maxRetries', 'idempotencyKey'])

const DEEPEST = 100

/**
 * The key of what a call was given beside its request; empty where that is nothing.
 *
 * The second argument may be the request options of an SDK: those that only say how to send it do not
 * count. Trailing `undefined` does not count either, nor does an `AbortSignal`.
 * @throws ERR_UNCACHEABLE_KEY for functions, cycles and instances of classes
 */
export function textOfOtherArguments(args: readonly unknown[]): string {
  const others = args.slice(1).map((value, index) => withoutSending(value, index === 0))
  while (others.length > 0 && others.at(-1) === undefined) others.pop()
  return others.map((value) => textOf(value, [])).join(',')
}

function withoutSending(value: unknown, isSecond: boolean): unknown {
  if (value instanceof AbortSignal) return undefined
  if (!isSecond || !isPlain(value)) return value
  const names = Object.keys(value)
  const rest = names.filter((name) => !SENDING.has(name))
  if (rest.length === names.length) return value
  // As if there were none.
  if (rest.length === 0) return undefined
  return Object.fromEntries(rest.map((name) => [name, value[name]]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const kind = valueKindOf(value)
  return kind === 'object' || kind === 'null-prototype object'
}

function textOf(value: unknown, within: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : objectText(value, within)
  }
  throw uncacheable(kindName(value))
}

function objectText(value: object, within: readonly object[]): string {
  if (within.includes(value)) throw uncacheable('a cycle')
  if (within.length >= DEEPEST) throw uncacheable(`an object more than ${DEEPEST} levels deep`)
  const inside = [...within, value]
  const kind = valueKindOf(value)
  if (kind === 'array') return `[${itemsOf(value as unknown[], inside)}]`
  if (isPlain(value)) return `{${membersOf(value, inside)}}`
  if (kind === 'Date') return `Date(${Date.prototype.getTime.call(value)})`
  if (kind === 'Uint8Array' || kind === 'Buffer') {
    return `${kind}(${bytesOf(value as BinaryValue).toString('base64')})`
  }
  // They come sorted, with names in lower case.
  if (value instanceof Headers) return `Headers${JSON.stringify([...value])}`
  throw uncacheable(kindName(value))
}

function itemsOf(value: readonly unknown[], within: readonly object[]): string {
  // A hole is not an undefined.
  const isHole = (index: number) => !Object.hasOwn(value, index)
  return Array.from(value, (item, index) => (isHole(index) ? '_' : textOf(item, within))).join(',')
}

function membersOf(value: Record<string, unknown>, within: readonly object[]): string {
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw uncacheable('a member named by a symbol')
  }
  const names = Object.keys(value).sort()
  return names.map((name) => `${JSON.stringify(name)}:${textOf(value[name], within)}`).join(',')
}

function uncacheable(what: string): ResilienceError {
  return new ResilienceError(
    'ERR_UNCACHEABLE_KEY',
    `The arguments after the request hold ${what}, which cannot be told apart by its contents. Pass plain data, or bind it in the function.`,
  )
}
