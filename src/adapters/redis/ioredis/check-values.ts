import type { ConnectionOptions } from 'node:tls'
import { kindOf } from '../../../kernel/duration.ts'
import { invalidOption } from '../../../kernel/options.ts'

/** `true`, `false` or options of `tls.connect`. */
export function checkTls(value: unknown, option: string): ConnectionOptions | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as ConnectionOptions
  }
  throw invalidOption(
    `${option} must be true, false or options of tls.connect, got ${kindOf(value)}`,
  )
}

/** A user name or a password, which no message may show. */
export function checkSecret(value: unknown, option: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  const got = value === '' ? 'empty text' : kindOf(value)
  throw invalidOption(`${option} must be text, got ${got}; leave it out where there is none`)
}
