import { companies } from '../dte/companies.ts'
import { optionsOfThisProcess, serveUpstream } from './upstream.ts'

/** A partner as the accounting system (Odoo) keeps it. */
export interface Partner {
  readonly id: number
  readonly name: string
  readonly vat: string
  readonly city: string
  readonly paymentTermDays: number
}

if (import.meta.main) {
  const known = new Map<string | null, Partner>(
    companies(optionsOfThisProcess().seed).map(({ rut, name, district }, index) => [
      rut,
      { id: index + 1, name, vat: rut, city: district, paymentTermDays: 30 * (1 + (index % 3)) },
    ]),
  )
  await serveUpstream({
    name: 'partners',
    latency: { p50: 2_000, p95: 3_300 },
    answer: (url) => {
      const partner = known.get(url.searchParams.get('vat'))
      return partner ? { body: partner } : { status: 404, body: { error: 'no such partner' } }
    },
  })
}
