import { describe, expect, it } from 'vitest'
import { readFlags } from '../../examples/demo/flags.ts'

describe('the flags of the demo', () => {
  it('have defaults', () => {
    expect(readFlags([])).toEqual({ seed: '1', requests: 2_000, concurrency: 20, json: false })
  })

  it('are read', () => {
    expect(readFlags(['--seed=x', '--requests=50', '--concurrency', '3', '--json'])).toEqual({
      seed: 'x',
      requests: 50,
      concurrency: 3,
      json: true,
    })
  })

  it.each(['--help', '-h'])('ask for help: %s', (flag) => {
    expect(readFlags([flag])).toBeUndefined()
  })

  it.each([
    ['--requests=0', /--requests must be .* 10 to 100000/],
    ['--requests=1e3', /--requests/],
    ['--requests=ten', /'ten'/],
    ['--concurrency=0', /--concurrency must be .* 1 to 200/],
    ['--concurrency=2.5', /--concurrency/],
    ['--conc=2', /--conc/],
    ['extra', /extra/],
  ])('are refused with a reason: %s', (flag, reason) => {
    expect(() => readFlags([flag])).toThrow(reason)
  })
})
