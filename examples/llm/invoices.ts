import { companies } from '../demo/dte/companies.ts'
import { readDte } from '../demo/dte/read-dte.ts'
import { writeDte } from '../demo/dte/write-dte.ts'
import { between, pick, seededRandom } from '../demo/traffic/random.ts'

const GOODS = ['Clavos 3 pulgadas', 'Harina 25 kg', 'Flete Santiago - Temuco', 'Resma carta']

export interface Invoice {
  readonly folio: number
  readonly xml: string
}

/** Invoices as the tax authority of Chile wants them, the same ones each time. */
export function invoices(count: number): Invoice[] {
  const random = seededRandom('invoices')
  const partners = companies('llm')
  return Array.from({ length: count }, (_, at) => {
    const folio = 4001 + at
    const items = Array.from({ length: between(random, 2, 6) }, () => ({
      name: pick(random, GOODS),
      quantity: between(random, 1, 40),
      price: between(random, 900, 60_000),
    }))
    const [issuer, receiver] = [pick(random, partners), pick(random, partners)]
    const xml = writeDte({ type: 33, folio, date: '2026-11-20', issuer, receiver, items })
    // Some that somebody has typed wrong.
    return { folio, xml: at % 9 === 4 ? xml.replace(/<MntTotal>\d/, '<MntTotal>9') : xml }
  })
}

/** What a model would find: here it is computed. */
export function verdictOn(xml: string): string {
  const { folio, issuerRut, net, vat, total } = readDte(xml)
  const valid = net + vat === total
  const finding = `MntTotal is ${total}, but MntNeto and IVA are ${net + vat} together.`
  return JSON.stringify({ folio, issuerRut, net, vat, valid, findings: valid ? [] : [finding] })
}
