import { ResilienceError } from '../kernel/errors.ts'
import { type BinaryValue, bytesOf, hrefOf, kindName, valueKindOf } from '../kernel/value-kind.ts'

// Text of a value, the same for equal values and different for different ones. It is JSON with
// sorted members, plus what JSON lacks, written so that no two forms begin alike:
//
//   undefined  NaN  Infinity  -Infinity  12n           -0 is written 0
//   {"a":1,"b":undefined}                              null-prototype objects too
//   [1,_,2]                                            a hole is not an undefined
//   Date(0)  Date(NaN)  RegExp("a+","g")  URL("https://x.test/")
//   Map[key,value,key,value]  Set[value,value]         in insertion order
//   Uint8Array(AQI=)  Buffer(AQI=)  ArrayBuffer(AQI=)  bytes in base64
//
// Left out, as they are no part of what a value says: members that are not enumerable, names that
// somebody hung on an array or another built-in, the `lastIndex` of a RegExp, the prototype of a
// plain object. A getter counts as the value it returns.

/** JSON of requests and rows stays far below; what is deeper is likely a list of linked nodes. */
const DEEPEST = 500

/**
 * Canonical text of one value.
 * @param within the objects that hold it, outermost first
 * @throws ERR_UNCACHEABLE_KEY for what has no contents to compare by
 */
export function canonicalText(value: unknown, within: object[]): string {
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

function objectText(value: object, within: object[]): string {
  const kind = valueKindOf(value)
  switch (kind) {
    case undefined:
      throw uncacheable(kindName(value))
    case 'object':
    case 'null-prototype object':
    case 'array':
    case 'Map':
    case 'Set':
      return containerText(kind, value, within)
    case 'Date':
      return `Date(${Date.prototype.getTime.call(value)})`
    case 'RegExp': {
      const { source, flags } = value as RegExp
      return `RegExp(${JSON.stringify(source)},${JSON.stringify(flags)})`
    }
    case 'URL':
      return `URL(${JSON.stringify(hrefOf(value))})`
    case 'Float16Array':
    case 'Float32Array':
    case 'Float64Array':
      return bytesText(kind, bytesOf(oneZeroOneNaN(value as Float64Array)))
    default:
      return bytesText(kind, bytesOf(value as BinaryValue))
  }
}

function containerText(
  kind: 'object' | 'null-prototype object' | 'array' | 'Map' | 'Set',
  value: object,
  within: object[],
): string {
  if (within.includes(value)) throw uncacheable('a cycle')
  if (within.length >= DEEPEST) throw uncacheable(`an object more than ${DEEPEST} levels deep`)
  within.push(value)
  let text: string
  if (kind === 'array') text = arrayText(value as unknown[], within)
  else if (kind === 'Map') text = mapText(value as Map<unknown, unknown>, within)
  else if (kind === 'Set') text = setText(value as Set<unknown>, within)
  else text = membersText(value as Record<string, unknown>, within)
  within.pop()
  return text
}

function membersText(value: Record<string, unknown>, within: object[]): string {
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw uncacheable('a member named by a symbol')
  let text = ''
  for (const name of Object.keys(value).sort()) {
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalText(value[name], within)}`
  }
  return `{${text}}`
}

function arrayText(value: readonly unknown[], within: object[]): string {
  let text = ''
  for (let index = 0; index < value.length; index++) {
    const item = value[index]
    if (index > 0) text += ','
    const hole = item === undefined && !Object.hasOwn(value, index)
    text += hole ? '_' : canonicalText(item, within)
  }
  return `[${text}]`
}

function mapText(value: Map<unknown, unknown>, within: object[]): string {
  let text = ''
  for (const [key, item] of Map.prototype.entries.call(value)) {
    text += `${canonicalText(key, within)},${canonicalText(item, within)},`
  }
  return `Map[${text}]`
}

function setText(value: Set<unknown>, within: object[]): string {
  let text = ''
  for (const item of Set.prototype.values.call(value)) text += `${canonicalText(item, within)},`
  return `Set[${text}]`
}

function bytesText(kind: string, bytes: Buffer): string {
  return `${kind}(${bytes.toString('base64')})`
}

/** A copy in which all zeros are +0 and all NaNs have the same bits. */
function oneZeroOneNaN(value: Float64Array): Float64Array {
  const copy = value.slice()
  for (let index = 0; index < copy.length; index++) {
    const item = copy[index] as number
    if (item === 0) copy[index] = 0
    else if (Number.isNaN(item)) copy[index] = Number.NaN
  }
  return copy
}

function uncacheable(what: string): ResilienceError {
  return new ResilienceError(
    'ERR_UNCACHEABLE_KEY',
    `The arguments hold ${what}, which cannot be told apart by its contents. Give the option key: (...args) => string, or pass plain data.`,
  )
}
