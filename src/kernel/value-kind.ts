import types from 'node:util/types'

// One place decides which objects have contents that define them. It goes by brand and prototype,
// not by `instanceof`, so that objects of another realm (a vm context, a test runner's sandbox) are
// known, subclasses are not taken for their base class, and a faked prototype fools nobody.

/** Typed arrays this library knows; `Float16Array` exists from Node 24 on. */
export type TypedArrayKind =
  | 'Int8Array'
  | 'Uint8Array'
  | 'Uint8ClampedArray'
  | 'Int16Array'
  | 'Uint16Array'
  | 'Int32Array'
  | 'Uint32Array'
  | 'Float16Array'
  | 'Float32Array'
  | 'Float64Array'
  | 'BigInt64Array'
  | 'BigUint64Array'

/** The kinds of objects whose contents define them. */
export type ValueKind =
  | 'object'
  | 'null-prototype object'
  | 'array'
  | 'Date'
  | 'Map'
  | 'Set'
  | 'RegExp'
  | 'URL'
  | 'Buffer'
  | 'ArrayBuffer'
  | 'DataView'
  | TypedArrayKind

const { getPrototypeOf, hasOwn } = Object

const typedArrayName = Object.getOwnPropertyDescriptor(
  getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as () => TypedArrayKind | undefined

/** Whether it is `Object.prototype` of any realm. */
function isRoot(prototype: object | null): boolean {
  return (
    prototype === Object.prototype ||
    (prototype !== null &&
      getPrototypeOf(prototype) === null &&
      hasOwn(prototype, 'isPrototypeOf') &&
      hasOwn(prototype, 'propertyIsEnumerable'))
  )
}

/** The kind of `value`, or `undefined` where its contents do not define it. */
export function valueKindOf(value: object): ValueKind | undefined {
  const prototype: object | null = getPrototypeOf(value)
  if (Array.isArray(value)) return Array.isArray(prototype) ? 'array' : undefined
  if (prototype === null) return 'null-prototype object'
  if (isRoot(prototype)) return 'object'
  if (prototype === Buffer.prototype) return types.isUint8Array(value) ? 'Buffer' : undefined
  const parent: object | null = getPrototypeOf(prototype)
  if (parent === null) return undefined
  if (isRoot(parent)) return nativeKind(value, prototype)
  // Int8Array.prototype -> %TypedArray%.prototype -> Object.prototype
  return isRoot(getPrototypeOf(parent)) ? typedArrayName.call(value) : undefined
}

function nativeKind(value: object, prototype: object): ValueKind | undefined {
  if (types.isDate(value)) return 'Date'
  if (types.isMap(value)) return 'Map'
  if (types.isSet(value)) return 'Set'
  if (types.isRegExp(value)) return 'RegExp'
  if (types.isArrayBuffer(value)) return 'ArrayBuffer'
  if (types.isDataView(value)) return 'DataView'
  if (prototype === URL.prototype && isUrl(value)) return 'URL'
  return undefined
}

const hrefGetter = Object.getOwnPropertyDescriptor(URL.prototype, 'href')?.get as () => string

/** Text of an object of kind `URL`. */
export function hrefOf(value: object): string {
  return hrefGetter.call(value)
}

/** URL has no brand check of its own, but its getter refuses anything else. */
function isUrl(value: object): boolean {
  try {
    hrefOf(value)
    return true
  } catch {
    return false
  }
}

export type BinaryValue = ArrayBuffer | NodeJS.ArrayBufferView

/** A view of the bytes of an object of a binary kind; none where its buffer was transferred away. */
export function bytesOf(value: BinaryValue): Buffer {
  if (value.byteLength === 0) return Buffer.alloc(0)
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
}

/** What `value` is, for an error message: its kind, never its contents. */
export function kindName(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  if (types.isProxy(value)) return 'a Proxy of an unsupported object'
  const maker: unknown = getPrototypeOf(value)?.constructor
  const name = typeof maker === 'function' ? String(maker.name) : ''
  return /^[\w$]{1,40}$/.test(name) ? `an instance of ${name}` : 'an instance of a class'
}
