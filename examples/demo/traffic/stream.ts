import { type Company, companies } from '../dte/companies.ts'
import { type DteType, type Item, writeDte } from '../dte/write-dte.ts'
import { between, pick, seededRandom } from './random.ts'
import { zipf } from './zipf.ts'

const ITEMS = [
  'Cemento 25 kg',
  'Flete',
  'Resma carta',
  'Harina 50 kg',
  'Pino 2x4',
  'Asesoria mensual',
]

/** `count` different documents between the companies of the same seed. */
export function documents(seed: string, count: number): string[] {
  const random = seededRandom(`${seed}:documents`)
  const partners = companies(seed)
  const rank = zipf(partners.length, 1, random)
  return Array.from({ length: count }, (_, index) => {
    const issuer = rank()
    // The next rank where both draws agree: nobody sends an invoice to itself.
    const other = rank()
    const receiver = other === issuer ? (other + 1) % partners.length : other
    const type = pick<DteType>(random, [33, 33, 33, 33, 33, 33, 33, 52, 52, 61])
    const folio = 10_000 + index
    return writeDte({
      type,
      folio,
      date: `2025-11-${String(between(random, 10, 28))}`,
      issuer: partners[issuer] as Company,
      receiver: partners[receiver] as Company,
      items: Array.from({ length: between(random, 1, 6) }, () => item(random)),
      ...(type === 61 && { reference: { folio: folio - 5_000, date: '2025-11-03' } }),
    })
  })
}

/**
 * The requests of one run, as indexes into its documents: the same document is sent again by the
 * issuer, by the receiver, by whoever opens it on a screen.
 */
export function requestStream(seed: string, requests: number, documentCount: number): number[] {
  const rank = zipf(documentCount, 1, seededRandom(`${seed}:requests`))
  return Array.from({ length: requests }, rank)
}

function item(random: () => number): Item {
  return {
    name: pick(random, ITEMS),
    quantity: between(random, 1, 40),
    price: between(random, 9, 900) * 100 - 10,
  }
}
