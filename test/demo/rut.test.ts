import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkDigit, formatRut, isRut } from '../../examples/demo/dte/rut.ts'

describe('the check digit of a RUT', () => {
  it.each([
    [12_345_678, '5'],
    [76_192_083, '9'],
    [60_803_000, 'K'],
    [6, 'K'],
    [10_000_013, 'K'],
    [1, '9'],
    [11_111_111, '1'],
    [10_000_004, '0'],
  ])('of %i is %s', (body, digit) => {
    expect(checkDigit(body)).toBe(digit)
  })

  it('is accepted, and no other is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999_999 }), (body) => {
        const accepted = [...'0123456789K'].filter((digit) => isRut(`${body}-${digit}`))
        expect(accepted).toEqual([checkDigit(body)])
      }),
    )
  })

  it('catches every wrong digit and every swap of neighbours', () => {
    const [body = '', digit] = formatRut(76_192_083).split('-')
    for (let place = 0; place < body.length; place++) {
      const wrong = `${body.slice(0, place)}${(Number(body[place]) + 1) % 10}${body.slice(place + 1)}`
      expect(isRut(`${wrong}-${digit}`)).toBe(false)
    }
    expect(isRut(`67192083-${digit}`)).toBe(false)
  })

  it.each(['', '12345678', '12.345.678-5', '12345678-k', '123456789-2', ' 12345678-5'])(
    'does not take %j for a RUT',
    (text) => {
      expect(isRut(text)).toBe(false)
    },
  )
})
