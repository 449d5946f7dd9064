/**
 * A generator of numbers in [0, 1) that gives the same series for the same seed, on every machine.
 * Only the low 32 bits of the seed count. For simulations and tests, never for secrets.
 *
 * mulberry32, by Tommy Ettinger (public domain):
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
