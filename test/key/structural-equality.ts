import { isDeepStrictEqual } from 'node:util'

// What "equal argument lists" means, written without a look at how keys are made.

export function sameArguments(a: readonly unknown[], b: readonly unknown[]): boolean {
  const trim = (list: readonly unknown[]) => {
    let end = list.length
    while (end > 0 && list[end - 1] === undefined) end--
    return list.slice(0, end)
  }
  const left = trim(a)
  const right = trim(b)
  return left.length === right.length && left.every((item, index) => same(item, right[index]))
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a !== typeof b) return false
  if (typeof a !== 'object' || a === null || b === null) {
    return a === b || (Number.isNaN(a) && Number.isNaN(b))
  }
  const kind = kindOf(a)
  if (kind !== kindOf(b as object)) return false
  if (Array.isArray(a)) return sameArrays(a, b as unknown[])
  return ArrayBuffer.isView(a) ? sameViews(a, b, kind) : sameContents(a, b as object)
}

function sameContents(a: object, b: object): boolean {
  if (a instanceof Date) return same(a.getTime(), (b as Date).getTime())
  if (a instanceof Map) return same([...a].flat(1), [...(b as Map<unknown, unknown>)].flat(1))
  if (a instanceof Set) return same([...a], [...(b as Set<unknown>)])
  if (a instanceof URL) return a.href === (b as URL).href
  if (a instanceof RegExp) return String(a) === String(b)
  if (a instanceof ArrayBuffer) return isDeepStrictEqual(a, b)
  const left = new Map(Object.entries(a))
  const right = new Map(Object.entries(b as object))
  return (
    left.size === right.size &&
    [...left].every(([name, item]) => right.has(name) && same(item, right.get(name)))
  )
}

function sameArrays(a: unknown[], b: unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (i in a !== i in b || !same(a[i], b[i])) return false
  }
  return true
}

function sameViews(a: ArrayBufferView, b: unknown, kind: string): boolean {
  return kind.startsWith('Float')
    ? same([...(a as Float64Array)], [...(b as Float64Array)])
    : isDeepStrictEqual(a, b)
}

function kindOf(value: object): string {
  if (Buffer.isBuffer(value)) return 'Buffer'
  return Object.prototype.toString.call(value).slice(8, -1)
}
