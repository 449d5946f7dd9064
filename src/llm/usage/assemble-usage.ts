import type { CacheTtl, NormalizedUsage } from './normalized-usage.ts'

/** What was read of an answer; what it does not say is `undefined`. */
export interface UsageParts {
  readonly provider: string
  readonly model: string
  readonly uncached: number
  readonly read: number
  readonly write: Readonly<Partial<Record<CacheTtl, number>>>
  readonly output: number
  readonly reasoning?: number | undefined
  readonly tier?: string | undefined
  readonly geo?: string | undefined
  readonly speed?: string | undefined
  readonly extra?: readonly NormalizedUsage[] | undefined
  readonly raw: unknown
}

/** The one place where the total is made, so that it cannot differ from its parts. */
export function assembleUsage(parts: UsageParts): NormalizedUsage {
  const cacheWrite: Partial<Record<CacheTtl, number>> = {}
  let written = 0
  for (const [ttl, tokens] of Object.entries(parts.write)) {
    if (!tokens) continue
    cacheWrite[ttl as CacheTtl] = tokens
    written += tokens
  }
  const { provider, model, reasoning, tier, geo, speed, extra, raw } = parts
  return {
    provider,
    model,
    inputTotal: parts.uncached + parts.read + written,
    inputUncached: parts.uncached,
    cacheRead: parts.read,
    cacheWrite,
    output: parts.output,
    ...(reasoning !== undefined && { reasoning }),
    ...(tier !== undefined && { tier }),
    ...(tier === 'batch' && { batch: true }),
    ...(geo !== undefined && { geo }),
    ...(speed !== undefined && { speed }),
    ...(extra?.length && { extra }),
    raw,
  }
}
