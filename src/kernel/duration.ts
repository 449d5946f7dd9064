import { ResilienceError } from './errors.ts'

/**
 * A length of time: a number of milliseconds, or text such as `'250ms'`, `'30s'`, `'5m'`, `'2h'`,
 * `'7d'`. `Infinity` means never.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const TEXT = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/

/**
 * Milliseconds of a duration.
 * @throws ERR_INVALID_OPTION for anything that is not a duration ≥ 0; `option` names it.
 */
export function toMs(value: unknown, option: string): number {
  if (typeof value === 'number') {
    if (value >= 0) return value
  } else if (typeof value === 'string') {
    const match = TEXT.exec(value.trim())
    if (match) return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
  }
  throw new ResilienceError(
    'ERR_INVALID_OPTION',
    `${option} must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got ${shown(value)}`,
  )
}

/** A value of an option as an error message may show it: short, and never the inside of an object. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return Object.is(value, -0) ? '-0' : String(value)
}

/** The same where the value itself may be a key or a secret: only what kind of thing it is. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'bigint') return 'a bigint'
  return shown(value)
}
