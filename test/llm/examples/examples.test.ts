import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)

const CHAT = fileURLToPath(import.meta.resolve('../../../examples/llm/chat.ts'))
const VALIDATION = fileURLToPath(import.meta.resolve('../../../examples/llm/validate-documents.ts'))

/** Runs an example, with a key that must not be used. */
async function outputOf(file: string): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1', ANTHROPIC_API_KEY: 'not-to-be-used' }
  const { stdout, stderr } = await run(process.execPath, [file], { timeout: 30_000, env })
  expect(stderr).toBe('')
  return stdout
}

/** The lines between one heading and the next empty line, without reasons. */
function callsOf(output: string, heading: string): string[] {
  const [, part = ''] = output.split(`\n${heading}`)
  const [, ...lines] = (part.split('\n\n')[0] as string).split('\n')
  return lines.filter((line) => /\$\d/.test(line))
}

const percentOf = (output: string): number => Number(/^ {2}saved +([\d.]+) %$/m.exec(output)?.[1])

describe('examples/llm/chat.ts', { timeout: 60_000 }, () => {
  it('prints what each call cost and why, and ends by itself', async () => {
    const output = await outputOf(CHAT)
    for (const pattern of [
      /^ {2}turn 1 +miss .*\n +nothing is cached yet; written for 5m/m,
      /^ {2}turn 2 +L3 hit .*\n +what it begins with was cached/m,
      /^ {4}clicked twice +joined +\$0\.0000 /m,
      /^ {4}and a reload +L1 hit +\$0\.0000 /m,
      // Whether something was kept for the hour is the planner's business.
      /^ {2}… 20 minutes later\n {2}turn 7 +(L3 hit|miss) .*\n {5}\w/m,
      /^ {4}a 2nd window +joined /m,
      /^ {4}a reload +replay /m,
      /the three texts are the same: true$/m,
      /^ {2}… 90 minutes later\n {2}turn 12 +miss .*\n +what was cached has expired/m,
      /^ {2}calls +16: miss \d, L3 hit \d+, joined 2, L1 hit 1, replay 1$/m,
      /^ {2}the provider +was asked 12 times$/m,
      /% of them came out of the provider's cache$/m,
    ]) {
      expect(output).toMatch(pattern)
    }
    expect(percentOf(output)).toBeGreaterThan(60)
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})

describe('examples/llm/validate-documents.ts', { timeout: 60_000 }, () => {
  it('prints what each call cost and why, and ends by itself', async () => {
    const output = await outputOf(VALIDATION)
    const burst = callsOf(output, 'Ten at once')
    expect(burst.filter((line) => line.includes(' miss '))).toHaveLength(1)
    expect(burst.filter((line) => line.includes(' L3 hit '))).toHaveLength(9)
    const steady = callsOf(output, 'Thirty more')
    expect(steady).toHaveLength(31)
    expect(steady.every((line) => line.includes(' L3 hit '))).toBe(true)
    expect(output).toMatch(/^ {2}invoice 4016 .*\n +not stored: truncated\n {2}invoice 4016 /m)
    const repeats = callsOf(output, 'Six of them again')
    expect(repeats.every((line) => line.includes(' L1 hit '))).toBe(true)
    const elsewhere = callsOf(output, 'And three')
    expect(elsewhere.map((line) => line.includes(' L2 hit '))).toEqual([true, true, true])
    const busted = callsOf(output, 'Somebody puts the time')
    expect(busted.every((line) => line.includes(' miss '))).toBe(true)
    expect(output).toMatch(/WARNING VOLATILE_TEXT at \/system \(date-time\): It is different/)
    const mended = callsOf(output, 'Mended')
    expect(mended.every((line) => line.includes(' L3 hit '))).toBe(true)
    expect(output).toMatch(/^ {2}calls +60: miss 6, L3 hit 45, L1 hit 6, L2 hit 3$/m)
    expect(percentOf(output)).toBeGreaterThan(60)
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('asks the real provider only with --live, and then wants a key', async () => {
    const { ANTHROPIC_API_KEY: _key, ...env } = process.env
    await expect(
      run(process.execPath, [VALIDATION, '--live'], { timeout: 30_000, env }),
    ).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('set ANTHROPIC_API_KEY') })
  })
})
