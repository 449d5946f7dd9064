import { describe, expect, it } from 'vitest'
import { simulate } from '../../src/testing.ts'

const SHARE = 1250

describe('5,000 seeded lives of a cluster over a simulated Redis', { timeout: 600_000 }, () => {
  for (const from of [1, 1 + SHARE, 1 + 2 * SHARE, 1 + 3 * SHARE]) {
    it(`break no promise: seeds ${from} to ${from + SHARE - 1}`, async () => {
      const report = await simulate({ seeds: SHARE, from })
      expect(report.violations).toEqual([])
      expect(report.operations).toBeGreaterThan(20 * SHARE)
      expect(report.faults).toBeGreaterThan(SHARE)
    })
  }
})

describe('a simulation', () => {
  it('is the same life for the same seed', async () => {
    const options = { seeds: [7, 8, 9] }
    expect(await simulate(options)).toEqual(await simulate(options))
  })

  it('has no faults where none are wanted', async () => {
    const report = await simulate({ seeds: 20, faults: false })
    expect(report).toMatchObject({ seeds: 20, faults: 0, violations: [] })
  })

  it('has the number of steps that is asked for, at least', async () => {
    const report = await simulate({ seeds: 5, steps: 10, faults: false, nodes: 2 })
    expect(report.operations).toBeGreaterThanOrEqual(50)
  })

  it('tells how far it has come', async () => {
    const seen: number[] = []
    await simulate({ seeds: 3, onProgress: ({ done }) => seen.push(done) })
    expect(seen).toEqual([1, 2, 3])
  })

  it('refuses what is no list of seeds, and unknown mutants', async () => {
    const invalid = { code: 'ERR_INVALID_OPTION' }
    await expect(simulate({ seeds: [] })).rejects.toMatchObject(invalid)
    await expect(simulate({ seeds: [0.5] })).rejects.toMatchObject(invalid)
    await expect(simulate({ mutant: 'none' as never })).rejects.toMatchObject(invalid)
  })

  it('shows the way to a broken promise, and how to walk it again', async () => {
    let violations: Awaited<ReturnType<typeof simulate>>['violations'] = []
    for (let from = 1; violations.length === 0; from += 20) {
      ;({ violations } = await simulate({ seeds: 20, from, mutant: 'no-lease-check' }))
    }
    const [first] = violations
    expect(first?.trace.at(-1)).toMatch(/WRONG I\d/)
    expect(first?.trace.length).toBeLessThan(60)
    expect(first?.replay).toBe(`npm run test:sim -- --seed ${first?.seed} --mutant no-lease-check`)
  })
})
