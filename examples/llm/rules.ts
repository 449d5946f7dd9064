// Stands for the handbook that a real service sends with each call: long, and always the same.

const DOCUMENTS = ['invoice (33)', 'exempt invoice (34)', 'dispatch guide (52)', 'credit note (61)']

const CHECKS = [
  'has an issuer and a receiver whose RUT ends in the right check digit',
  'has a folio within the range that the tax authority has authorised',
  'has a date of issue that is not in the future and not older than the authorisation of its folio',
  'has lines whose amount is quantity times price, without decimals',
  'has a net amount that is the sum of its taxable lines, discounts and surcharges counted in',
  'has VAT of 19 % of the net amount, rounded to the nearest peso',
  'has a total that is net amount, exempt amount and VAT',
  'names the document that it refers to by type, folio and date, if it refers to one',
  'has no more than sixty lines of detail, numbered from one without a gap',
  'has the business activity and the district of its issuer as they are registered',
  'is not a second copy of a document with the same issuer, type and folio',
  'is accepted or claimed within eight days after it has been received, else it counts as accepted',
]

/** Some 2,600 tokens. */
export const RULES = DOCUMENTS.flatMap((document, at) =>
  CHECKS.map(
    (check, index) =>
      `Rule ${at + 1}.${index + 1}. Each ${document} ${check}. Where it does not, say so in one sentence, name the element of the XML that is wrong, and say what it should be.`,
  ),
).join('\n')
