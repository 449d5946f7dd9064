/** What a store does in one operation well within its deadline. */
const MOST_KEYS = 256

/** Many keys as several reads, each of which may be answered while others are not. */
export function partsOf<T>(all: readonly T[]): Array<readonly T[]> {
  if (all.length <= MOST_KEYS) return [all]
  const parts: Array<readonly T[]> = []
  for (let at = 0; at < all.length; at += MOST_KEYS) parts.push(all.slice(at, at + MOST_KEYS))
  return parts
}
