import { ResilienceError } from '../kernel/errors.ts'
import { type BinaryValue, bytesOf, hrefOf, kindName, valueKindOf } from '../kernel/value-kind.ts'

// Text is put together by hand because JSON.stringify would call the toJSON of whatever class or
// library added one. The format is described in default-codec.ts.

const DEEPEST = 500

/**
 * A value as tagged JSON.
 * @param within the objects that hold it, outermost first
 * @throws ERR_UNSERIALIZABLE for what cannot come back equal
 */
export function taggedText(value: unknown, within: object[]): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'number':
      if (Object.is(value, -0)) return tagged('number', '"-0"')
      return Number.isFinite(value) ? String(value) : tagged('number', `"${value}"`)
    case 'bigint':
      return tagged('bigint', `"${value}"`)
    case 'undefined':
      return tagged('undefined', 'null')
    case 'object':
      return value === null ? 'null' : objectText(value, within)
  }
  throw unserializable(kindName(value))
}

function tagged(tag: string, text: string): string {
  return `{"$":"${tag}","v":${text}}`
}

function objectText(value: object, within: object[]): string {
  const kind = valueKindOf(value)
  switch (kind) {
    case undefined:
      throw unserializable(kindName(value))
    case 'Date': {
      const time = Date.prototype.getTime.call(value)
      return tagged(kind, Number.isNaN(time) ? 'null' : String(time))
    }
    case 'RegExp': {
      const { source, flags } = value as RegExp
      return tagged(kind, JSON.stringify([source, flags]))
    }
    case 'URL':
      return tagged(kind, JSON.stringify(hrefOf(value)))
    case 'object':
    case 'null-prototype object':
    case 'array':
    case 'Map':
    case 'Set':
      return containerText(kind, value, within)
    default:
      return tagged(kind, `"${bytesOf(value as BinaryValue).toString('base64')}"`)
  }
}

function containerText(kind: string, value: object, within: object[]): string {
  if (within.includes(value)) throw unserializable('a cycle')
  if (within.length >= DEEPEST) throw unserializable(`an object more than ${DEEPEST} levels deep`)
  within.push(value)
  let text: string
  if (kind === 'array') text = arrayText(value as unknown[], within)
  else if (kind === 'Map') text = tagged(kind, pairsText(mapEntries(value), within))
  else if (kind === 'Set') text = tagged(kind, listText(setItems(value), within))
  else text = membersText(kind, value as Record<string, unknown>, within)
  within.pop()
  return text
}

const mapEntries = (value: object) => Map.prototype.entries.call(value)
const setItems = (value: object) => Set.prototype.values.call(value)

function membersText(kind: string, value: Record<string, unknown>, within: object[]): string {
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw unserializable('a member named by a symbol')
  }
  const names = Object.keys(value)
  if (kind === 'null-prototype object' || names.includes('$')) {
    const tag = kind === 'object' ? 'Object' : 'null-prototype'
    return tagged(tag, pairsText(Object.entries(value), within))
  }
  let text = ''
  for (const name of names) {
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${taggedText(value[name], within)}`
  }
  return `{${text}}`
}

function arrayText(value: readonly unknown[], within: object[]): string {
  for (let index = 0; index < value.length; index++) {
    if (value[index] === undefined && !Object.hasOwn(value, index)) {
      throw unserializable('an array with holes')
    }
  }
  if (Object.keys(value).length !== value.length)
    throw unserializable('an array with named members')
  return listText(value, within)
}

function listText(items: Iterable<unknown>, within: object[]): string {
  let text = ''
  for (const item of items) text += `${text === '' ? '' : ','}${taggedText(item, within)}`
  return `[${text}]`
}

function pairsText(pairs: Iterable<readonly [unknown, unknown]>, within: object[]): string {
  let text = ''
  for (const [name, item] of pairs) {
    text += `${text === '' ? '' : ','}[${taggedText(name, within)},${taggedText(item, within)}]`
  }
  return `[${text}]`
}

function unserializable(what: string): ResilienceError {
  return new ResilienceError(
    'ERR_UNSERIALIZABLE',
    `The value holds ${what}, which would not come back from L2 as it is. Return plain data, or give the option codec: { id, encode, decode }.`,
  )
}
