/** The check digit of a Chilean tax number: modulo 11, weights 2 to 7 from the right; 10 is K. */
export function checkDigit(body: number): string {
  let sum = 0
  let weight = 2
  for (let rest = body; rest > 0; rest = Math.floor(rest / 10)) {
    sum += (rest % 10) * weight
    weight = weight === 7 ? 2 : weight + 1
  }
  const digit = 11 - (sum % 11)
  if (digit === 11) return '0'
  return digit === 10 ? 'K' : String(digit)
}

export function formatRut(body: number): string {
  return `${body}-${checkDigit(body)}`
}

export function isRut(text: string): boolean {
  const [, body, digit] = /^(\d{1,8})-([\dK])$/.exec(text) ?? []
  return body !== undefined && checkDigit(Number(body)) === digit
}
