// Equality in kind and content, stricter than a test runner's: prototypes, -0, holes, member order.

/** Where `a` and `b` differ, or `undefined`. */
export function difference(a: unknown, b: unknown, path = '$'): string | undefined {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    return Object.is(a, b) ? undefined : `${path}: ${typeof a} is not ${typeof b}`
  }
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: prototypes`
  const own = firstDifference(parts(a), parts(b), path)
  if (own) return own
  if (ArrayBuffer.isView(a)) return undefined
  const names = Object.keys(a)
  const others = Object.keys(b)
  if (names.length !== others.length || names.some((name, i) => name !== others[i])) {
    return `${path}: members`
  }
  const members = (value: object) =>
    names.map((name) => Object.getOwnPropertyDescriptor(value, name)?.value)
  return firstDifference(members(a), members(b), path)
}

function firstDifference(a: unknown[], b: unknown[], path: string): string | undefined {
  if (a.length !== b.length) return `${path}: length`
  for (let i = 0; i < a.length; i++) {
    const found = difference(a[i], b[i], `${path}.${i}`)
    if (found) return found
  }
  return undefined
}

function parts(value: object): unknown[] {
  if (Array.isArray(value)) return [value.length]
  if (value instanceof Date) return [value.getTime()]
  if (value instanceof Map) return [...value].flat(1)
  if (value instanceof Set) return [...value]
  if (value instanceof RegExp) return [value.source, value.flags]
  if (value instanceof URL) return [value.href]
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)]
  if (ArrayBuffer.isView(value)) {
    return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]
  }
  return []
}
