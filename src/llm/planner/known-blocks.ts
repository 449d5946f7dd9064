import { isMark } from './outline.ts'

/** What was found out about a block, and all that it consisted of when it was. */
interface Known<T> {
  readonly parts: readonly unknown[]
  readonly found: T
}

const OPEN = Symbol('open')
const CLOSE = Symbol('close')

/**
 * Remembers what was found out about blocks by the objects themselves: a conversation that is kept sends
 * the same ones again. Each is compared with what it was, part by part, so that one that was changed in
 * between is looked at anew; texts that are the same object are compared at once.
 */
export class KnownBlocks<T> {
  readonly #known = new WeakMap<object, Known<T>>()

  get(block: object): T | undefined {
    const known = this.#known.get(block)
    return known && compare(block, known.parts, 0, true) === known.parts.length
      ? known.found
      : undefined
  }

  set(block: object, found: T): void {
    const parts: unknown[] = []
    collect(block, parts, true)
    this.#known.set(block, { parts, found })
  }
}

function collect(value: unknown, parts: unknown[], isBlock: boolean): void {
  if (typeof value !== 'object' || value === null) {
    parts.push(value)
    return
  }
  parts.push(OPEN)
  for (const name in value) {
    if (isBlock && isMark(name)) continue
    parts.push(name)
    collect((value as Record<string, unknown>)[name], parts, false)
  }
  parts.push(CLOSE)
}

/** @returns the index behind the parts of `value`; -1: they differ */
function compare(
  value: unknown,
  parts: readonly unknown[],
  from: number,
  isBlock: boolean,
): number {
  if (typeof value !== 'object' || value === null) return parts[from] === value ? from + 1 : -1
  if (parts[from] !== OPEN) return -1
  let at = from + 1
  for (const name in value) {
    if (isBlock && isMark(name)) continue
    if (parts[at] !== name) return -1
    at = compare((value as Record<string, unknown>)[name], parts, at + 1, false)
    if (at < 0) return -1
  }
  return parts[at] === CLOSE ? at + 1 : -1
}
