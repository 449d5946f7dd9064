/**
 * A copy of plain objects and arrays, through and through; anything else is handed on as it is. Consumers
 * build messages in the objects they are given (SDKs do), and others are given the same item.
 */
export function plainCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainCopy) as T
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: Record<string, unknown> = prototype === null ? Object.create(null) : {}
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__') {
      // As data, which an assignment would not make of it.
      Object.defineProperty(copy, name, { value: plainCopy(member), ...OWN })
    } else copy[name] = plainCopy(member)
  }
  return copy as T
}

const OWN = { enumerable: true, configurable: true, writable: true }
