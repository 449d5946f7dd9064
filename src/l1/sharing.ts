import types from 'node:util/types'
import { ResilienceError } from '../kernel/errors.ts'
import { hrefOf, kindName, type ValueKind, valueKindOf } from '../kernel/value-kind.ts'

/** What a caller gets from L1: the very object that is stored, that object frozen, or a copy. */
export type Sharing = 'share' | 'freeze' | 'clone'

/**
 * Freezes a value through and through.
 * @returns whether all of it is frozen. Maps, Sets, Dates, URLs, Buffers and typed arrays change
 * through methods that no freeze stops: a value that holds one has to be copied for each caller instead.
 */
export function deepFreeze(value: unknown, seen: Set<object> = new Set()): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (seen.has(value)) return true
  seen.add(value)
  if (isFreezeProof(value)) return false
  let complete = true
  for (const part of Object.values(value)) {
    if (!deepFreeze(part, seen)) complete = false
  }
  Object.freeze(value)
  return complete
}

function isFreezeProof(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    // Its lastIndex moves with each use: frozen it would throw.
    types.isRegExp(value) ||
    value instanceof URL ||
    value instanceof URLSearchParams
  )
}

/**
 * A copy that shares nothing mutable with `value`. Kinds are kept: a Buffer stays a Buffer, a URL a
 * URL. Instances of classes are refused: a copy would lose their private state.
 * @throws ERR_UNSERIALIZABLE for functions, symbols, class instances and what else cannot be copied
 */
export function copyOf<V>(value: V): V {
  if (typeof value !== 'object' || value === null) return copyPart(value, NOTHING) as V
  return copyPart(value, new Map()) as V
}

/** What was copied so far: one object that is held twice stays one, and cycles end. */
type Copies = Map<object, object>

const NOTHING: Copies = new Map()

function copyPart(value: unknown, copies: Copies): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw uncopyable(value)
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  const kind = valueKindOf(value)
  switch (kind) {
    case 'array':
      return copyMembers(value, new Array((value as unknown[]).length), copies)
    case 'object':
      return copyMembers(value, {}, copies)
    case 'null-prototype object':
      return copyMembers(value, Object.create(null), copies)
    case 'Map':
      return copyMap(value as Map<unknown, unknown>, copies)
    case 'Set':
      return copySet(value as Set<unknown>, copies)
    case undefined:
      if (isClassInstance(value)) throw uncopyable(value)
  }
  const copy = copyLeaf(value, kind)
  copies.set(value, copy)
  return copy
}

/** Everything whose contents are not objects of their own. */
function copyLeaf(value: object, kind: ValueKind | undefined): object {
  switch (kind) {
    case 'Date':
      return new Date(Date.prototype.getTime.call(value))
    case 'RegExp':
      return new RegExp((value as RegExp).source, (value as RegExp).flags)
    case 'URL':
      return new URL(hrefOf(value))
    case 'Buffer':
      // Outside of Node's pool, whose memory others can reach.
      return Buffer.from(new Uint8Array(value as Buffer).buffer)
  }
  if (value instanceof URLSearchParams) return new URLSearchParams(value)
  try {
    return structuredClone(value)
  } catch {
    // Its error is no cause to show: it quotes what it could not copy.
    throw uncopyable(value)
  }
}

/** One without anything native inside. */
function isClassInstance(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function copyMembers(value: object, target: object, copies: Copies): object {
  copies.set(value, target)
  for (const [name, part] of Object.entries(value)) {
    const copy = copyPart(part, copies)
    // Plain assignment to `__proto__` would change the prototype.
    if (name === '__proto__') {
      const own = { value: copy, writable: true, enumerable: true, configurable: true }
      Object.defineProperty(target, name, own)
    } else {
      ;(target as Record<string, unknown>)[name] = copy
    }
  }
  return target
}

function copyMap(value: Map<unknown, unknown>, copies: Copies): object {
  const target = new Map<unknown, unknown>()
  copies.set(value, target)
  for (const [key, part] of Map.prototype.entries.call(value)) {
    target.set(copyPart(key, copies), copyPart(part, copies))
  }
  return target
}

function copySet(value: Set<unknown>, copies: Copies): object {
  const target = new Set<unknown>()
  copies.set(value, target)
  for (const part of Set.prototype.values.call(value)) target.add(copyPart(part, copies))
  return target
}

function uncopyable(value: unknown): ResilienceError {
  return new ResilienceError(
    'ERR_UNSERIALIZABLE',
    `The value holds ${kindName(value)}, of which no copy can be made for each caller. ` +
      "Return plain data, or choose l1: { values: 'share' }.",
  )
}
