import { kindOf } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { invalidOption } from '../kernel/options.ts'
import type { Outcome } from './source.ts'

/** How the answer of a batch function is brought into the order of its keys. */
export interface Alignment<K> {
  readonly name: string
  /** What tells keys apart, where it is not the key itself. */
  readonly key: ((key: K) => unknown) | undefined
  readonly keyOf: ((row: never) => K) | undefined
  readonly onMissing: 'null' | 'error' | ((key: K) => unknown)
}

/**
 * @throws ERR_INVALID_OPTION for an answer that cannot be told apart by keys, with what to return
 * instead.
 */
export function align<K, V>(
  alignment: Alignment<K>,
  keys: readonly K[],
  answer: unknown,
): ReadonlyArray<Outcome<V>> {
  if (isMap(answer)) return fromMap(alignment, keys, answer as ReadonlyMap<K, unknown>)
  if (!Array.isArray(answer)) {
    throw wrongAnswer(alignment, `it gave ${kindOf(answer)}; return an array or a Map`)
  }
  if (alignment.keyOf !== undefined) return fromRows(alignment, keys, answer)
  if (answer.length === keys.length) return answer
  throw wrongAnswer(
    alignment,
    `it gave ${answer.length} values for ${keys.length} keys; return one value for each key, in ` +
      'their order, or set keyOf, which finds the key of a row',
  )
}

function fromMap<K, V>(
  alignment: Alignment<K>,
  keys: readonly K[],
  answer: ReadonlyMap<K, unknown>,
): Outcome<V>[] {
  const { key: idOf } = alignment
  if (idOf === undefined) return pick(alignment, keys, answer)
  const byId = new Map<unknown, unknown>()
  for (const [key, value] of answer) byId.set(idOf(key), value)
  return pick(alignment, keys, byId)
}

function fromRows<K, V>(
  alignment: Alignment<K>,
  keys: readonly K[],
  rows: readonly unknown[],
): Outcome<V>[] {
  const { key: idOf } = alignment
  const keyOf = alignment.keyOf as (row: unknown) => K
  const byId = new Map<unknown, unknown>()
  for (const row of rows) {
    if (row === undefined || row === null) continue
    const key = keyOf(row)
    const id = idOf === undefined ? key : idOf(key)
    if (byId.has(id)) {
      throw wrongAnswer(
        alignment,
        'it gave two rows of one key; where a key has many rows, return Map.groupBy(rows, keyOf)',
      )
    }
    byId.set(id, row)
  }
  const found = pick<K, V>(alignment, keys, byId)
  if (byId.size > 0 && !keys.some((key) => byId.has(idOf === undefined ? key : idOf(key)))) {
    const [rowKey] = byId.keys()
    throw wrongAnswer(
      alignment,
      `keyOf found none of the keys in ${byId.size} rows; it gives ${kindOf(rowKey)}, and the keys ` +
        `are ${kindOf(keys[0])}`,
    )
  }
  return found
}

function pick<K, V>(
  alignment: Alignment<K>,
  keys: readonly K[],
  byId: ReadonlyMap<unknown, unknown>,
): Outcome<V>[] {
  const { key: idOf } = alignment
  return keys.map((key) => {
    const id = idOf === undefined ? key : idOf(key)
    const value = byId.get(id)
    return (value === undefined && !byId.has(id) ? missing(alignment, key) : value) as Outcome<V>
  })
}

function missing<K>({ name, onMissing }: Alignment<K>, key: K): unknown {
  if (onMissing === 'null') return null
  if (typeof onMissing === 'function') return onMissing(key)
  return new ResilienceError(
    'ERR_NOT_FOUND',
    `the batch function of the loader '${name}' brought nothing for a key; onMissing: 'null' gives ` +
      'null instead',
  )
}

function wrongAnswer<K>({ name }: Alignment<K>, what: string): ResilienceError {
  return invalidOption(`the batch function of the loader '${name}': ${what}`)
}

/** By what it can do: it may come from another realm. */
function isMap(value: unknown): boolean {
  const map = value as { get?: unknown; has?: unknown } | null | undefined
  return typeof map?.get === 'function' && typeof map.has === 'function'
}
