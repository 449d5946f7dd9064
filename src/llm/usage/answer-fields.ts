/** A part of an answer, before anything is known of it. */
export type Fields = Readonly<Record<string, unknown>>

/** `value` as something to look into: an answer may hold anything at any place. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}

/** A number of tokens; `undefined` for what is none. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : undefined
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Elements that can be looked into. */
export function listOf(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) return []
  return value.map(fieldsOf).filter((element) => element !== undefined)
}
