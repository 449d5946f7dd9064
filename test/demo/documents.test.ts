import { describe, expect, it } from 'vitest'
import { companies } from '../../examples/demo/dte/companies.ts'
import { readDte } from '../../examples/demo/dte/read-dte.ts'
import { isRut } from '../../examples/demo/dte/rut.ts'
import { writeDte } from '../../examples/demo/dte/write-dte.ts'
import { documents } from '../../examples/demo/traffic/stream.ts'
import { complete, priceOf } from '../../examples/demo/upstreams/llm.ts'
import { judge } from '../../examples/demo/upstreams/tax-authority.ts'

const SEED = 'documents-test'
const all = documents(SEED, 300)
const example = all[0] as string

describe('the documents of the demo', () => {
  it('are all different and accepted by the tax authority', () => {
    expect(new Set(all).size).toBe(all.length)
    for (const xml of all) expect(judge(xml)).toMatchObject({ accepted: true, errors: [] })
  })

  it('add up: lines to the net amount, 19 % of VAT, total', () => {
    for (const xml of all) {
      const { lineAmounts, net, vat, total } = readDte(xml)
      expect(lineAmounts.length).toBeGreaterThan(0)
      expect(lineAmounts.reduce((sum, amount) => sum + amount, 0)).toBe(net)
      expect(vat).toBe(Math.round(net * 0.19))
      expect(total).toBe(net + vat)
    }
  })

  it('are well-formed: every element is closed, every & is escaped, all of it is ASCII', () => {
    for (const xml of all) {
      const open: string[] = []
      for (const [, closing, name = ''] of xml.matchAll(/<(\/?)([A-Za-z]+)[^>]*>/g)) {
        if (closing) expect(open.pop()).toBe(name)
        else open.push(name)
      }
      expect(open).toEqual([])
      expect(xml).not.toMatch(/&(?!amp;|lt;)/)
      expect(xml).not.toMatch(/[^\x20-\x7e\n]/)
    }
    expect(all.some((xml) => xml.includes('&amp;'))).toBe(true)
  })

  it('are invoices, dispatch guides and credit notes, which alone name the invoice', () => {
    expect(new Set(all.map((xml) => readDte(xml).type))).toEqual(new Set([33, 52, 61]))
    for (const xml of all) expect(xml.includes('<FolioRef>')).toBe(readDte(xml).type === 61)
  })

  it('are between two known companies', () => {
    const known = new Set(companies(SEED).map(({ rut }) => rut))
    expect([...known].every(isRut)).toBe(true)
    for (const xml of all) {
      const { issuerRut, receiverRut } = readDte(xml)
      expect(known).toContain(issuerRut)
      expect(known).toContain(receiverRut)
      expect(issuerRut).not.toBe(receiverRut)
    }
  })

  it('are the same for the same seed only', () => {
    expect(documents(SEED, 300)).toEqual(all)
    expect(documents('another', 1)[0]).not.toBe(example)
  })
})

describe('the tax authority of the demo', () => {
  it.each([
    ['RUTEmisor', /(<RUTEmisor>\d+-)./, '$1X'],
    ['RUTRecep', /(<RUTRecep>\d+-)./, '$1X'],
    ['MntNeto', /<MntNeto>\d/, '<MntNeto>99'],
    ['IVA', /<IVA>\d/, '<IVA>99'],
    ['MntTotal', /<MntTotal>\d/, '<MntTotal>99'],
  ])('rejects a wrong %s', (field, pattern, replacement) => {
    const { accepted, errors } = judge(example.replace(pattern, replacement))
    expect(accepted).toBe(false)
    expect(errors.some((error) => error.startsWith(field))).toBe(true)
  })

  it('gives each document a tracking id of its own, always the same', () => {
    expect(judge(example).trackingId).toBe(judge(example).trackingId)
    expect(new Set(all.map((xml) => judge(xml).trackingId)).size).toBe(all.length)
  })

  it('refuses what is not a document', () => {
    expect(() => judge('<html></html>')).toThrow(/not a DTE/)
    expect(() => judge(example.replace(/<Folio>\d+/, '<Folio>x'))).toThrow(/Folio/)
  })
})

describe('the LLM of the demo', () => {
  it('answers the same prompt with the same text, and another with another', () => {
    expect(complete(example)).toEqual(complete(example))
    expect(complete(all[1] as string).text).not.toBe(complete(example).text)
  })

  it('is paid by the token: $3 per million in, $15 per million out', () => {
    expect(priceOf({ inputTokens: 1_000_000, outputTokens: 0 })).toBe(3)
    expect(priceOf({ inputTokens: 0, outputTokens: 1_000_000 })).toBe(15)
    expect(complete(example).usage.inputTokens).toBe(Math.ceil(example.length / 4))
  })
})

it('rounds VAT to whole pesos', () => {
  const [issuer, receiver] = companies(SEED)
  if (!issuer || !receiver) throw new Error('no companies')
  const items = [{ name: 'Clavo', quantity: 1, price: 3 }]
  const xml = writeDte({ type: 33, folio: 1, date: '2025-11-10', issuer, receiver, items })
  expect(readDte(xml)).toMatchObject({ net: 3, vat: 1, total: 4 })
})
