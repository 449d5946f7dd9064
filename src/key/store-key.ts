import { crypto } from '../kernel/builtin.ts'

/** Longest readable part of a key in L2, in bytes of UTF-8. */
const LONGEST = 200

/** Controls break the tools of operators; half a surrogate pair has no UTF-8 of its own. */
const UNSAFE = /[\p{Cc}\p{Cs}]/u
const UNSAFE_IN_NAME = /[%:\p{Cc}\p{Cs}]/gu

/**
 * Key of an entry in L2. A key part over 200 bytes, or with control characters or lone surrogates,
 * is replaced by `~h` and its full SHA-256. Keys made by `keyOf` never begin like that.
 * @param prefix made by `storePrefix`
 */
export function storeKey(prefix: string, key: string): string {
  return prefix + (isReadable(key) ? key : `~h${digest(key)}`)
}

function isReadable(key: string): boolean {
  // No UTF-16 unit takes more than three bytes, so most keys need no count.
  return (
    key.length <= LONGEST &&
    !UNSAFE.test(key) &&
    (key.length * 3 <= LONGEST || Buffer.byteLength(key) <= LONGEST)
  )
}

/** Over UTF-16 code units: in UTF-8 all lone surrogates would become one character. */
function digest(key: string): string {
  return crypto().hash('sha256', Buffer.from(key, 'utf16le'), 'base64url')
}

/**
 * What the L2 keys of one cached function begin with: its names joined by `:` and closed by `::`.
 * No such prefix is the beginning of another one, whatever the names, so keys of two functions
 * never meet.
 * @param names cache, namespaces, function, version
 */
export function storePrefix(...names: string[]): string {
  return `${names.map(escaped).join(':')}::`
}

function escaped(name: string): string {
  // An empty name would look like the end of the prefix.
  if (name === '') return '%'
  return name.replace(UNSAFE_IN_NAME, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase()
    return code.length > 2 ? `%u${code}` : `%${code.padStart(2, '0')}`
  })
}
