import { shown } from './duration.ts'
import { ResilienceError } from './errors.ts'

/** A size: a number of bytes, or text such as `'512b'`, `'64kb'`, `'64mb'`, `'1gb'` (units of 1024). */
export type ByteSize = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const UNIT = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const
const TEXT = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)$/i

/**
 * Bytes of a size.
 * @throws ERR_INVALID_OPTION for anything that is not a size > 0; `option` names it.
 */
export function toBytes(value: unknown, option: string): number {
  if (typeof value === 'number') {
    if (value > 0) return value
  } else if (typeof value === 'string') {
    const match = TEXT.exec(value.trim())
    const bytes = match ? Number(match[1]) * UNIT[match[2]?.toLowerCase() as keyof typeof UNIT] : 0
    if (bytes > 0) return bytes
  }
  throw new ResilienceError(
    'ERR_INVALID_OPTION',
    `${option} must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got ${shown(value)}`,
  )
}
