import { createHash } from 'node:crypto'
import { readDte } from '../dte/read-dte.ts'
import { isRut } from '../dte/rut.ts'
import { VAT_PERCENT } from '../dte/write-dte.ts'
import { serveUpstream } from './upstream.ts'

export interface Verdict {
  readonly accepted: boolean
  readonly trackingId: string
  readonly errors: readonly string[]
}

/** Checks a document as the tax authority does: tax numbers, the sum of the lines, VAT, total. */
export function judge(xml: string): Verdict {
  const dte = readDte(xml)
  const lines = dte.lineAmounts.reduce((sum, amount) => sum + amount, 0)
  const errors = [
    !isRut(dte.issuerRut) && 'RUTEmisor: wrong check digit',
    !isRut(dte.receiverRut) && 'RUTRecep: wrong check digit',
    dte.net !== lines && `MntNeto: ${dte.net} is not the sum of the lines, ${lines}`,
    dte.vat !== Math.round((dte.net * VAT_PERCENT) / 100) && `IVA: not ${VAT_PERCENT} % of MntNeto`,
    dte.total !== dte.net + dte.vat && 'MntTotal: not MntNeto + IVA',
  ].filter((error) => error !== false)
  const trackingId = createHash('sha256').update(xml).digest('hex').slice(0, 12)
  return { accepted: errors.length === 0, trackingId, errors }
}

if (import.meta.main) {
  await serveUpstream({
    name: 'tax authority',
    latency: { p50: 2_000, p95: 3_300 },
    answer: (_url, xml) => ({ body: judge(xml) }),
  })
}
