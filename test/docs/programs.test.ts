import { describe, expect, it } from 'vitest'
import { allPrograms, placeOf, problemsOf, typeProblems } from '../../scripts/docs-programs.ts'

const programs = allPrograms()

describe('code in README.md and docs/', () => {
  for (const program of programs.filter(({ run }) => run)) {
    it.concurrent(`${placeOf(program)} gives what it says`, {
      retry: 2,
      timeout: 60_000,
    }, async () => {
      expect(await problemsOf(program)).toEqual([])
    })
  }

  it('has the right types', { timeout: 60_000 }, async () => {
    expect(await typeProblems(programs)).toBe('')
  })
})
