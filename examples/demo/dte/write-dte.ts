import type { Company } from './companies.ts'

/** 33 invoice, 52 dispatch guide, 61 credit note. */
export type DteType = 33 | 52 | 61

export interface Item {
  readonly name: string
  readonly quantity: number
  readonly price: number
}

export interface DteContent {
  readonly type: DteType
  readonly folio: number
  readonly date: string
  readonly issuer: Company
  readonly receiver: Company
  readonly items: readonly Item[]
  /** The invoice that a credit note cancels. */
  readonly reference?: { readonly folio: number; readonly date: string }
}

export const VAT_PERCENT = 19

/**
 * The document as the Chilean tax authority (SII) wants it, without signature and stamp. The text is
 * plain ASCII, so that it reads the same in the ISO-8859-1 it declares and in UTF-8.
 */
export function writeDte({ type, folio, date, issuer, receiver, items, reference }: DteContent) {
  const net = items.reduce((sum, { quantity, price }) => sum + quantity * price, 0)
  const vat = Math.round((net * VAT_PERCENT) / 100)
  return `<?xml version="1.0" encoding="ISO-8859-1"?>
<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">
<Documento ID="T${type}F${folio}">
<Encabezado>
<IdDoc><TipoDTE>${type}</TipoDTE><Folio>${folio}</Folio><FchEmis>${date}</FchEmis>${
    type === 52 ? '<IndTraslado>1</IndTraslado>' : ''
  }</IdDoc>
<Emisor><RUTEmisor>${issuer.rut}</RUTEmisor><RznSoc>${escapeXml(issuer.name)}</RznSoc><GiroEmis>${issuer.business}</GiroEmis><CmnaOrigen>${issuer.district}</CmnaOrigen></Emisor>
<Receptor><RUTRecep>${receiver.rut}</RUTRecep><RznSocRecep>${escapeXml(receiver.name)}</RznSocRecep><GiroRecep>${receiver.business}</GiroRecep><CmnaRecep>${receiver.district}</CmnaRecep></Receptor>
<Totales><MntNeto>${net}</MntNeto><TasaIVA>${VAT_PERCENT}</TasaIVA><IVA>${vat}</IVA><MntTotal>${net + vat}</MntTotal></Totales>
</Encabezado>
${items.map(detail).join('\n')}${
  reference
    ? `\n<Referencia><NroLinRef>1</NroLinRef><TpoDocRef>33</TpoDocRef><FolioRef>${reference.folio}</FolioRef><FchRef>${reference.date}</FchRef><CodRef>1</CodRef><RazonRef>Anula factura</RazonRef></Referencia>`
    : ''
}
</Documento>
</DTE>
`
}

function detail({ name, quantity, price }: Item, index: number): string {
  return `<Detalle><NroLinDet>${index + 1}</NroLinDet><NmbItem>${escapeXml(name)}</NmbItem><QtyItem>${quantity}</QtyItem><PrcItem>${price}</PrcItem><MontoItem>${quantity * price}</MontoItem></Detalle>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
