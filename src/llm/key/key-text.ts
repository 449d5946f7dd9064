import { crypto } from '../../kernel/builtin.ts'

/** Of a name that stands in a key as it is. */
const LONGEST = 64
const PLAIN = /^[\w./@+-]+$/
const ODD = /[^\w./@+-]/g

/** One part of a stream in which no two lists of parts look alike. */
export function field(text: string): string {
  return `${text.length}:${text}`
}

/** Text of any kind as a part: JSON escapes halves of surrogate pairs, which UTF-8 would make one. */
export function textField(text: string): string {
  return field(JSON.stringify(text))
}

/**
 * A model or a provider as part of a key or a tag: letters, digits and `_ . / @ + -` as they are, the
 * others as `~` and their code, at most 64 characters. Two names never become one.
 */
export function namePart(name: string): string {
  if (name === '') return '~~'
  const text = PLAIN.test(name) ? name : name.replace(ODD, escaped)
  if (text.length <= LONGEST) return text
  const digest = crypto().hash('sha256', JSON.stringify(name), 'base64url')
  return `${text.slice(0, 40)}~~${digest.slice(0, 22)}`
}

function escaped(unit: string): string {
  const code = unit.charCodeAt(0).toString(16)
  return code.length > 2 ? `~u${code.padStart(4, '0')}` : `~${code.padStart(2, '0')}`
}
