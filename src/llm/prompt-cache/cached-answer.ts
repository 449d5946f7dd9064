const CACHED: unique symbol = Symbol.for('@org/resilient-cache/cached-answer') as never

/**
 * Whether an answer came out of the cache, so that its usage was paid for before and must not be billed
 * again.
 *
 * Shows on answers that are plain objects, also those of another copy of the package.
 */
export function isCachedAnswer(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { [CACHED]?: unknown })[CACHED] === true
  )
}

/** A shallow copy that says so; what is no plain object is returned as it is. */
export function markCached(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isCachedAnswer(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy = prototype === null ? { __proto__: null, ...value } : { ...value }
  // Not enumerable: neither JSON nor a comparison in somebody's test sees it.
  return Object.defineProperty(copy, CACHED, { value: true })
}
