const { getOwnPropertySymbols, getPrototypeOf } = Object
const { isArray } = Array
const objectPrototype = Object.prototype
const arrayPrototype = Array.prototype

/** Deeper ones (and cycles) take the general path, which says what is wrong with them. */
const DEEPEST = 16

/**
 * Whether `JSON.stringify` tells `value` apart from every other value that passes here, member order
 * aside. A `false` only costs time: the general path decides then.
 *
 * The two loops repeat their switch on purpose: a shared function per member doubles the cost of
 * the hit that this guards.
 */
export function isPlainJson(value: object): boolean {
  return isArray(value) ? isPlainArray(value, 0) : isPlainObject(value as PlainObject, 0)
}

type PlainObject = Record<string, unknown> & { toJSON?: unknown }

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: inlined for speed, see isPlainJson
function isPlainObject(value: PlainObject, depth: number): boolean {
  if (depth > DEEPEST || getPrototypeOf(value) !== objectPrototype) return false
  if (value.toJSON !== undefined) return false
  // Inherited members, if somebody extended Object.prototype, can only make it false.
  for (const name in value) {
    const item = value[name]
    switch (typeof item) {
      case 'string':
      case 'boolean':
        continue
      case 'number':
        // Not NaN, not infinite; -0 is written as 0, which is what a key wants.
        if (item - item === 0) continue
        return false
      case 'object':
        if (item === null) continue
        if (isArray(item)) {
          if (isPlainArray(item, depth + 1)) continue
        } else if (isPlainObject(item as PlainObject, depth + 1)) continue
        return false
      default:
        return false
    }
  }
  return getOwnPropertySymbols(value).length === 0
}

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: inlined for speed, see isPlainJson
function isPlainArray(value: readonly unknown[] & { toJSON?: unknown }, depth: number): boolean {
  if (depth > DEEPEST || getPrototypeOf(value) !== arrayPrototype) return false
  if (value.toJSON !== undefined) return false
  for (let index = 0; index < value.length; index++) {
    const item = value[index]
    switch (typeof item) {
      case 'string':
      case 'boolean':
        continue
      case 'number':
        if (item - item === 0) continue
        return false
      case 'object':
        if (item === null) continue
        if (isArray(item)) {
          if (isPlainArray(item, depth + 1)) continue
        } else if (isPlainObject(item as PlainObject, depth + 1)) continue
        return false
      default:
        // A hole reads as undefined and ends here too.
        return false
    }
  }
  return true
}
