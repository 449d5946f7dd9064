/** How much goes to the batch function at once. */
export interface Limits<K> {
  readonly maxBatch: number
  readonly weightOf: ((key: K) => number) | undefined
  readonly maxWeight: number
}

/** Keys in groups that are within the limits; what is too heavy by itself goes alone. */
export function cut<K>(keys: readonly K[], limits: Limits<K>): ReadonlyArray<readonly K[]> {
  const { maxBatch, maxWeight, weightOf } = limits
  if (keys.length <= maxBatch && weightOf === undefined) return [keys]
  const groups: K[][] = []
  let group: K[] = []
  let weight = 0
  for (const key of keys) {
    const own = weightOf === undefined ? 0 : weightOf(key)
    if (group.length >= maxBatch || (group.length > 0 && weight + own > maxWeight)) {
      groups.push(group)
      group = []
      weight = 0
    }
    group.push(key)
    weight += own
  }
  if (group.length > 0) groups.push(group)
  return groups
}
