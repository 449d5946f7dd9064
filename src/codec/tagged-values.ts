// Reads back what tagged-text.ts writes. The text may be damaged or hostile: every shape is checked,
// no name in it is ever called or looked up outside of the tables here.

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const { defineProperty, hasOwn } = Object

/**
 * The value of parsed tagged JSON; reuses its arrays and objects.
 * @throws SyntaxError for an unknown tag or a wrong shape
 */
export function untagged(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) {
    for (let index = 0; index < json.length; index++) json[index] = untagged(json[index])
    return json
  }
  const members = json as { [name: string]: unknown }
  if (hasOwn(members, '$')) return fromTag(members)
  for (const name of Object.keys(members)) {
    const item = members[name]
    // Its own member even when it is named __proto__: JSON.parse made it, this only replaces it.
    if (typeof item === 'object' && item !== null) setOwn(members, name, untagged(item))
  }
  return members
}

function fromTag(members: { [name: string]: unknown }): unknown {
  const { $: tag, v } = members as { $: unknown; v: Json }
  if (Object.keys(members).length !== 2 || !hasOwn(members, 'v')) throw malformed()
  switch (tag) {
    case 'undefined':
      return undefined
    case 'number':
      return oddNumber(v)
    case 'bigint':
      return BigInt(text(v, /^(?:0|-?[1-9]\d*)$/))
    case 'Date':
      return new Date(v === null ? Number.NaN : finite(v))
    case 'RegExp':
      return regExp(v)
    case 'URL':
      return new URL(text(v))
    case 'Map':
      return new Map(pairs(v))
    case 'Set':
      return new Set(untagged(list(v)) as unknown[])
    case 'Object':
      return fromPairs({}, v)
    case 'null-prototype':
      return fromPairs(Object.create(null), v)
    default:
      return binary(text(tag), v)
  }
}

const VIEWS = new Map<string, new (buffer: ArrayBuffer) => unknown>([['DataView', DataView]])
for (const name of [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
]) {
  const view: unknown = (globalThis as Record<string, unknown>)[name]
  // Node 22 has no Float16Array: there such an entry is a miss.
  if (typeof view === 'function') VIEWS.set(name, view as new (buffer: ArrayBuffer) => unknown)
}

function binary(tag: string, v: unknown): unknown {
  const bytes = Buffer.from(text(v, /^[A-Za-z0-9+/]*={0,2}$/), 'base64')
  if (tag === 'Buffer') return bytes
  // Out of Node's pool: the memory must belong to this value alone, and start aligned.
  const buffer = new Uint8Array(bytes).buffer
  if (tag === 'ArrayBuffer') return buffer
  const View = VIEWS.get(tag)
  if (!View) throw malformed()
  return new View(buffer)
}

function oddNumber(v: unknown): number {
  switch (v) {
    case '-0':
      return -0
    case 'NaN':
      return Number.NaN
    case 'Infinity':
      return Number.POSITIVE_INFINITY
    case '-Infinity':
      return Number.NEGATIVE_INFINITY
  }
  throw malformed()
}

function regExp(v: unknown): RegExp {
  const [source, flags, ...rest] = list(v)
  if (rest.length > 0) throw malformed()
  return new RegExp(text(source), text(flags))
}

function fromPairs(target: object, v: unknown): object {
  for (const [name, item] of pairs(v)) setOwn(target, text(name), item)
  return target
}

function pairs(v: unknown): [unknown, unknown][] {
  return list(v).map((pair) => {
    const [name, item, ...rest] = list(pair)
    if (name === undefined || item === undefined || rest.length > 0) throw malformed()
    return [untagged(name), untagged(item)]
  })
}

/** Plain assignment to `__proto__` would change the prototype. */
function setOwn(target: object, name: string, value: unknown): void {
  if (name !== '__proto__') {
    ;(target as Record<string, unknown>)[name] = value
    return
  }
  defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}

function list(v: unknown): unknown[] {
  if (!Array.isArray(v)) throw malformed()
  return v
}

function text(v: unknown, pattern?: RegExp): string {
  if (typeof v !== 'string' || (pattern && !pattern.test(v))) throw malformed()
  return v
}

function finite(v: unknown): number {
  if (typeof v !== 'number') throw malformed()
  return v
}

function malformed(): SyntaxError {
  return new SyntaxError('Malformed tagged JSON')
}
