const NUMBER_BYTES = 8
const OBJECT_BYTES = 16

/** About how many bytes an item takes as JSON: bounds need no more, and it is asked for each item. */
export function itemSize(item: unknown): number {
  if (typeof item === 'string') return item.length + 2
  if (typeof item !== 'object' || item === null) return NUMBER_BYTES
  if (ArrayBuffer.isView(item) || item instanceof ArrayBuffer) return item.byteLength
  return sizeOfMembers(item, new Set([item]))
}

function sizeOfMembers(value: object, seen: Set<object>): number {
  let bytes = OBJECT_BYTES
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value)) bytes += name.length + 4
    if (typeof member !== 'object' || member === null) bytes += itemSize(member)
    else if (!seen.has(member)) {
      seen.add(member)
      bytes += ArrayBuffer.isView(member) ? member.byteLength : sizeOfMembers(member, seen)
    }
  }
  return bytes
}
