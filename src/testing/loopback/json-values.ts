/** Any object of a request, before anybody has looked into it. */
export type Json = { readonly [name: string]: unknown }

/** The object itself, or an empty one: members of what is no object are all absent. */
export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
