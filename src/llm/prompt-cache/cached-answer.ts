const CACHED = Symbol.for('@org/resilient-cache/cached-answers')

/** One for all copies of the package. Not a member of the answers: codecs refuse one named by a symbol. */
const shared = globalThis as { [CACHED]?: WeakSet<object> }
shared[CACHED] ??= new WeakSet()
const cached: WeakSet<object> = shared[CACHED]

/**
 * Whether an answer came out of the cache, so that its usage was paid for before and must not be billed
 * again.
 *
 * Shows on answers that are plain objects; not on the copies that callers get with
 * `l1: { values: 'clone' }`, where `detail()` tells the source.
 */
export function isCachedAnswer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && cached.has(value)
}

/** A shallow copy that is known to be cached; what is no plain object is returned as it is. */
export function markCached(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isCachedAnswer(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy = prototype === null ? { __proto__: null, ...value } : { ...value }
  cached.add(copy)
  return copy
}
