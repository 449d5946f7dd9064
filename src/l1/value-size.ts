/** Beyond so many parts the rest is taken to be like what was seen. */
const MAX_PARTS = 1000
const OBJECT_BYTES = 32
const SLOT_BYTES = 8

/**
 * About how many bytes a value takes in memory. An estimate: it walks at most 1,000 parts and does
 * not serialize anything; beyond that it extrapolates by the share of the top level it has seen.
 */
export function estimateBytes(value: unknown): number {
  const walk = { parts: 0, seen: new Set<object>() }
  return Math.round(sizeOf(value, walk))
}

interface Walk {
  parts: number
  readonly seen: Set<object>
}

function sizeOf(value: unknown, walk: Walk): number {
  walk.parts++
  switch (typeof value) {
    case 'string':
      return 16 + value.length
    case 'bigint':
      return 24
    case 'object':
      return value === null ? SLOT_BYTES : sizeOfObject(value, walk)
    default:
      return SLOT_BYTES
  }
}

function sizeOfObject(value: object, walk: Walk): number {
  if (walk.seen.has(value)) return SLOT_BYTES
  walk.seen.add(value)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 96 + value.byteLength
  if (Array.isArray(value)) return OBJECT_BYTES + sizeOfAll(value, value.length, walk)
  if (value instanceof Map)
    return 2 * OBJECT_BYTES + sizeOfAll(flattened(value), value.size * 2, walk)
  if (value instanceof Set) return 2 * OBJECT_BYTES + sizeOfAll(value, value.size, walk)
  if (value instanceof URL) return 4 * OBJECT_BYTES + value.href.length
  const members = Object.values(value)
  return OBJECT_BYTES + sizeOfAll(members, members.length, walk)
}

function sizeOfAll(parts: Iterable<unknown>, count: number, walk: Walk): number {
  let bytes = 0
  let done = 0
  for (const part of parts) {
    if (walk.parts >= MAX_PARTS && done > 0) return (bytes / done) * count
    bytes += SLOT_BYTES + sizeOf(part, walk)
    done++
  }
  return bytes
}

function* flattened(map: Map<unknown, unknown>): Iterable<unknown> {
  for (const [key, value] of map) {
    yield key
    yield value
  }
}
