import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { textField } from './key-text.ts'
import type { Tenant } from './llm-key-options.ts'

/**
 * The tenant as a part of a stream: one who is called like the shared one is another.
 * @throws ERR_INVALID_OPTION where nobody has decided
 */
export function tenantField(tenant: Tenant | undefined, where: string): string {
  if (typeof tenant === 'string' && tenant !== '') {
    return textField('tenant') + textField(tenant)
  }
  if (isShared(tenant)) return textField('shared') + textField('')
  const got = tenant === '' ? 'empty text' : kindOf(tenant)
  throw invalidOption(
    `${where} needs tenant: the id of the tenant whose answers these are, or { shared: true } where everyone may see everyone's answers; got ${got}`,
  )
}

function isShared(tenant: unknown): boolean {
  return (
    typeof tenant === 'object' &&
    tenant !== null &&
    (tenant as { shared?: unknown }).shared === true &&
    Object.keys(tenant).length === 1
  )
}
