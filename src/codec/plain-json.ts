const { getOwnPropertySymbols, getPrototypeOf, keys } = Object

/** Deeper values are written by the tagged writer, which tells a deep one from a cycle. */
const DEEPEST = 100

/**
 * Whether `JSON.parse(JSON.stringify(value))` is equal to `value` in kind and content. Stricter than
 * the check of the same name that guards keys: -0 and names hung on an array count here.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      return depth < DEEPEST && !hasToJson(value) && isPlainContainer(value, depth + 1)
  }
  return false
}

function isPlainContainer(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    if (getPrototypeOf(value) !== Array.prototype) return false
    for (let index = 0; index < value.length; index++) {
      if (!isPlainJson(value[index], depth)) return false
    }
    // A hole reads as undefined and was found, so equal counts mean that there are no names besides.
    return keys(value).length === value.length
  }
  if (getPrototypeOf(value) !== Object.prototype) return false
  for (const name of keys(value)) {
    if (!isPlainJson((value as Record<string, unknown>)[name], depth)) return false
  }
  return getOwnPropertySymbols(value).length === 0
}

/** Also one that is inherited or not enumerable: `JSON.stringify` would call it. */
function hasToJson(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}
