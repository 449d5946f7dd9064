import { crypto } from '../../kernel/builtin.ts'
import { kindOf, shown } from '../../kernel/duration.ts'
import { checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { checkText } from './check-key-options.ts'
import { textField } from './key-text.ts'
import type { Tenant } from './llm-key-options.ts'
import { tenantField } from './tenant.ts'

/**
 * Beyond so many requests a minute with one key and prefix, OpenAI sends some of them to machines that
 * have not seen the prefix (prompt caching guide, 2026).
 */
const REQUESTS_PER_SHARD = 15

const WHERE = 'promptCacheKey()'

/** Options of `promptCacheKey`. */
export interface PromptCacheKeyOptions {
  tenant: Tenant
  /** Name of the kind of request. */
  route: string
  /** Of the prefix that the requests share, as a plan gives it. */
  prefixId: string
  /** Requests per minute that are expected: one key for every fifteen. @default one key */
  rpm?: number
  /** Chooses among them, e.g. the id of the conversation. @default the first key for all */
  shardSeed?: string
}

/**
 * A `prompt_cache_key` for OpenAI: `pc1-<tenant>-<prefix>-<shard>`, at most 64 characters.
 *
 * It is the same in all processes and after every deployment, as a changed key is a miss. Tenants never
 * share one, and none of the ids can be read from it.
 * @throws ERR_INVALID_OPTION
 */
export function promptCacheKey(options: PromptCacheKeyOptions): string {
  checkOptionNames(options, ['tenant', 'route', 'prefixId', 'rpm', 'shardSeed'], WHERE)
  const { route, prefixId, rpm, shardSeed } = options
  const tenant = tenantField(options.tenant, WHERE)
  checkGiven(route, 'route')
  checkGiven(prefixId, 'prefixId')
  checkText(shardSeed, 'shardSeed')
  if (rpm !== undefined && !(Number.isFinite(rpm) && rpm >= 0)) {
    throw invalidOption(`rpm must be a finite number ≥ 0, got ${shown(rpm)}`)
  }
  const shards = Math.max(1, Math.ceil((rpm ?? 0) / REQUESTS_PER_SHARD))
  const shard = shardSeed === undefined ? 0 : digest(textField(shardSeed)).readUIntBE(0, 6) % shards
  const prefix = digest(tenant + textField(route) + textField(prefixId)).toString('hex', 0, 8)
  return `pc1-${digest(tenant).toString('hex', 0, 5)}-${prefix}-${shard}`
}

function digest(text: string): Buffer {
  return crypto().hash('sha256', text, 'buffer')
}

function checkGiven(value: unknown, option: string): void {
  if (typeof value === 'string' && value !== '') return
  throw invalidOption(
    `${WHERE} needs ${option}, as text; got ${value === '' ? 'empty text' : kindOf(value)}`,
  )
}
