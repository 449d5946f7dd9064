/** What a caller gets from L1: the very object that is stored, that object frozen, or a copy. */
export type Sharing = 'share' | 'freeze' | 'clone'

/**
 * Freezes a value through and through.
 * @returns whether all of it is frozen. Maps, Sets, Dates, Buffers and typed arrays change through
 * methods that no freeze stops: a value that holds one has to be copied for each caller instead.
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
    value instanceof ArrayBuffer ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Date
  )
}

/** A copy that shares nothing mutable with `value`. A Buffer stays a Buffer. */
export function copyOf<V>(value: V): V {
  if (typeof value !== 'object' || value === null) return value
  return restoreBuffers(value, structuredClone(value), new Set()) as V
}

/** structuredClone makes plain Uint8Arrays of Buffers: give them their class back. */
function restoreBuffers(original: unknown, copy: unknown, seen: Set<object>): unknown {
  if (typeof original !== 'object' || original === null || seen.has(original)) return copy
  seen.add(original)
  if (Buffer.isBuffer(original)) {
    const bytes = copy as Uint8Array
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  if (ArrayBuffer.isView(original)) return copy
  if (original instanceof Map) return restoreMap(original, copy as Map<unknown, unknown>, seen)
  if (original instanceof Set) {
    const restored = [...(copy as Set<unknown>)]
    const target = copy as Set<unknown>
    target.clear()
    let i = 0
    for (const part of original) target.add(restoreBuffers(part, restored[i++], seen))
    return copy
  }
  const target = copy as Record<string, unknown>
  for (const [name, part] of Object.entries(original)) {
    if (typeof part === 'object' && part !== null)
      target[name] = restoreBuffers(part, target[name], seen)
  }
  return copy
}

function restoreMap(
  original: Map<unknown, unknown>,
  copy: Map<unknown, unknown>,
  seen: Set<object>,
): Map<unknown, unknown> {
  const parts = [...copy]
  copy.clear()
  let i = 0
  for (const [key, value] of original) {
    const [copiedKey, copiedValue] = parts[i++] as [unknown, unknown]
    copy.set(restoreBuffers(key, copiedKey, seen), restoreBuffers(value, copiedValue, seen))
  }
  return copy
}
