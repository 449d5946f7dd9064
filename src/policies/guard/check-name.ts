import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'

/** A name becomes a label of metrics. */
export function checkName(name: unknown, where: string): void {
  if (name === undefined || (typeof name === 'string' && name !== '' && name.length <= 100)) return
  throw invalidOption(`name of ${where} must be text of 1 to 100 characters, got ${kindOf(name)}`)
}
