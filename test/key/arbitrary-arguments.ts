import fc from 'fast-check'

// A small alphabet, so that values meet their near misses often.
const TEXTS = [
  '',
  'a',
  'b',
  '1',
  '0',
  '-0',
  'null',
  'undefined',
  'NaN',
  'true',
  '~',
  '~1',
  '1,2',
  '[1,2]',
  '{}',
  '1n',
  '"',
  '\\',
  '\ud800',
  '__proto__',
  'aB',
  'b!',
  '_',
  '1970-01-01T00:00:00.000Z',
]

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ maxLength: 3, unit: 'binary' }))
const bytes = fc.array(fc.constantFrom(0, 1, 2, 255), { maxLength: 3 })

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: text },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      0,
      -0,
      1,
      2,
      -1,
      0.5,
      1e21,
      Number.NaN,
      Infinity,
      -Infinity,
      true,
      false,
      null,
      undefined,
      0n,
      1n,
      -1n,
    ),
  },
  fc.double(),
  bytes.chain((b) =>
    fc.constantFrom<unknown>(
      b,
      Buffer.from(b),
      Uint8Array.from(b),
      Int8Array.from(b),
      Uint8ClampedArray.from(b),
      Uint16Array.from(b),
      Float64Array.from(b),
      new Uint8Array(b).buffer,
      new DataView(new Uint8Array(b).buffer),
    ),
  ),
  fc.constantFrom<unknown>(
    new Date(0),
    new Date(1),
    new Date(Number.NaN),
    /a/,
    /a/g,
    /a,"g"/,
    new URL('https://x.test/'),
    new URL('https://x.test/?a'),
    'https://x.test/',
    Float64Array.of(0),
    Float64Array.of(-0),
    Float64Array.of(Number.NaN),
    new Array(1),
    new Array(2),
  ),
)

export const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 2 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
})).value

export const argumentList = fc.array(value, { maxLength: 3 })

/** A copy of `list` that is equal, or that one step made different: which, the oracle says. */
export function nearMiss(list: readonly unknown[], random: () => number): unknown[] {
  const copy = list.map((item) => changed(item, random))
  const roll = random()
  if (roll < 0.1) copy.push(undefined)
  else if (roll < 0.15) copy.push(null)
  else if (roll < 0.2) copy.reverse()
  return copy
}

function changed(item: unknown, random: () => number): unknown {
  if (random() < 0.15) return swapped(item)
  if (Array.isArray(item)) return Array.from(item, (member) => changed(member, random))
  if (item instanceof Map) {
    const pairs = [...item].map((pair) => pair.map((part) => changed(part, random)))
    return new Map((random() < 0.3 ? pairs.reverse() : pairs) as [unknown, unknown][])
  }
  if (item instanceof Set) return new Set([...item].map((member) => changed(member, random)))
  if (item !== null && typeof item === 'object' && isPlain(item)) {
    const pairs = Object.entries(item).map(([name, member]) => [name, changed(member, random)])
    if (random() < 0.5) pairs.reverse()
    if (random() < 0.1) pairs.push(['extra', undefined])
    return Object.assign(
      random() < 0.3 ? Object.create(null) : {},
      fromPairs(pairs as [string, unknown][]),
    )
  }
  return item
}

function isPlain(item: object): boolean {
  const prototype = Object.getPrototypeOf(item)
  return prototype === null || prototype === Object.prototype
}

function fromPairs(pairs: [string, unknown][]): object {
  return Object.fromEntries(pairs.filter(([name]) => name !== '__proto__'))
}

/** Another type with a look of the same. */
function swapped(item: unknown): unknown {
  if (typeof item === 'string') return item === '' ? null : Number(item)
  if (Buffer.isBuffer(item)) return new Uint8Array(item)
  if (item instanceof Uint8Array) return Buffer.from(item)
  if (item instanceof Date) return Number.isNaN(item.getTime()) ? null : item.toISOString()
  if (item instanceof Map)
    return Object.fromEntries(
      [...item].map(([k, v]) => [typeof k === 'object' ? 'k' : String(k), v]),
    )
  if (item instanceof Set) return [...item]
  if (Array.isArray(item)) return String(item.filter((member) => typeof member !== 'object'))
  if (item === undefined) return null
  if (item === null) return 'null'
  return typeof item === 'object' ? JSON.stringify(Object.keys(item)) : String(item)
}

/** Uniform in [0, 1): fast-check's own doubles lean towards 0. */
export const rolls = fc.integer().map((seed) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
})
