export interface Dte {
  readonly type: number
  readonly folio: number
  readonly issuerRut: string
  readonly receiverRut: string
  readonly net: number
  readonly vat: number
  readonly total: number
  readonly lineAmounts: readonly number[]
}

/**
 * The fields the demo needs. Enough for documents that are written by machines and have no element
 * twice; a service in production uses an XML parser.
 *
 * @throws Error when a field is missing.
 */
export function readDte(xml: string): Dte {
  return {
    type: amount(xml, 'TipoDTE'),
    folio: amount(xml, 'Folio'),
    issuerRut: text(xml, 'RUTEmisor'),
    receiverRut: text(xml, 'RUTRecep'),
    net: amount(xml, 'MntNeto'),
    vat: amount(xml, 'IVA'),
    total: amount(xml, 'MntTotal'),
    lineAmounts: [...xml.matchAll(/<MontoItem>(\d+)</g)].map(([, digits]) => Number(digits)),
  }
}

function text(xml: string, element: string): string {
  const value = new RegExp(`<${element}>([^<]*)<`).exec(xml)?.[1]?.trim()
  if (!value) throw new Error(`not a DTE: <${element}> is missing`)
  return value
}

function amount(xml: string, element: string): number {
  const value = Number(text(xml, element))
  if (!Number.isInteger(value)) throw new Error(`not a DTE: <${element}> is not a whole number`)
  return value
}
