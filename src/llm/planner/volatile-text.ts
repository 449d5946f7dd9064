/** What makes a text another one each time, in the order in which they are looked for. */
const KINDS: ReadonlyArray<readonly [kind: string, pattern: RegExp]> = [
  ['uuid', /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/i],
  ['ulid', /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/],
  ['date-time', /\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/],
  ['date', /\b(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})\b/],
  ['time', /\b\d{1,2}:\d{2}(:\d{2})?\b/],
  ['epoch', /\b1\d{9}(\d{3})?\b/],
  ['id', /\b[0-9a-f]{16,}\b|\breq[_-]\w{6,}\b/i],
  ['number', /\d/],
]

/** Kinds that hardly stand in a text that stays the same. */
const SUSPECT = new Set(['uuid', 'ulid', 'date-time', 'epoch'])

/** Of longer text only so much is looked at. */
const MOST_CHARS = 64_000

/** Of two versions of a text at least this share is the same: one text with something that changes. */
const LEAST_SHARE = 0.8

/** The kind of what differs between two versions of one text; undefined: they are two texts. */
export function volatileKind(before: string, after: string): string | undefined {
  const a = before.slice(0, MOST_CHARS)
  const b = after.slice(0, MOST_CHARS)
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a[start] === b[start]) start++
  let end = 0
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  if (start + end < shorter * LEAST_SHARE || start === shorter) return undefined
  const changed = wholeWords(b, start, b.length - end)
  const weekday = /\b(mon|tues|wednes|thurs|fri|satur|sun)day\b/i.test(changed)
  return KINDS.find(([, pattern]) => pattern.test(changed))?.[0] ?? (weekday ? 'date' : 'text')
}

/** At first sight, with nothing to compare: what is nearly always different at the next call. */
export function suspectKind(text: string): string | undefined {
  const beginning = text.slice(0, MOST_CHARS)
  if (/\b(today is|current (date|time)|date and time)\b.{0,20}\d/i.test(beginning)) return 'date'
  return KINDS.find(([kind, pattern]) => SUSPECT.has(kind) && pattern.test(beginning))?.[0]
}

/** Two instants may differ in one digit: what counts is all that belongs to it. */
function wholeWords(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start > 0 && from - start < 40 && /[\w:.+-]/.test(text[start - 1] as string)) start--
  while (end < text.length && end - to < 40 && /[\w:.+-]/.test(text[end] as string)) end++
  return text.slice(start, end)
}
