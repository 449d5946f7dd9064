import { describe, expect, it } from 'vitest'
import { type MutantName, simulate } from '../../src/testing.ts'

/** Seeds that each mutant may use up; what kills it is found well before. */
const MOST_SEEDS: Readonly<Record<MutantName, number>> = {
  'stamps-after-origin': 600,
  'no-lease-check': 100,
  'delete-keeps-lease': 600,
  'missing-stamp-valid': 600,
  'no-gap-rule': 600,
  'no-epoch-check': 600,
  'blind-revalidation': 600,
  'no-replay': 600,
}
const AT_A_TIME = 20

/** The first seed that a mutant does not survive. */
async function killer(mutant: MutantName): Promise<number | undefined> {
  for (let from = 1; from < MOST_SEEDS[mutant]; from += AT_A_TIME) {
    const { violations } = await simulate({ seeds: AT_A_TIME, from, mutant })
    if (violations[0]) return violations[0].seed
  }
  return undefined
}

describe('the simulation', { timeout: 300_000 }, () => {
  for (const mutant of Object.keys(MOST_SEEDS) as MutantName[]) {
    it(`kills the mutant '${mutant}', and not the right code on the same seed`, async () => {
      const seed = await killer(mutant)
      expect(seed, `${mutant} survived ${MOST_SEEDS[mutant]} seeds`).toBeDefined()
      const { violations } = await simulate({ seeds: [seed as number] })
      expect(violations).toEqual([])
    })
  }
})
