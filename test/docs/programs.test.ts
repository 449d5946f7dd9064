import { afterAll, describe, expect, it } from 'vitest'
import { allPrograms, needsRedis, Workshop } from '../../scripts/docs-programs.ts'

const programs = allPrograms()
const workshop = await Workshop.open()
afterAll(() => workshop[Symbol.asyncDispose]())

describe('code in README.md and docs/', () => {
  for (const program of programs.filter((one) => one.run && !needsRedis(one))) {
    const name = `${program.file}:${program.line} gives what it says`
    // Programs use the real clock and the real deadline of L2: a busy machine gets another chance.
    it.concurrent(name, { retry: 2, timeout: 60_000 }, async () => {
      expect(await workshop.problemsOf(program)).toEqual([])
    })
  }

  it('has the right types', { timeout: 60_000 }, async () => {
    expect(await workshop.typeProblems(programs)).toBe('')
  })
})
