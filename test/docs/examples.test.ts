import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)

const FILES: Record<string, string> = {
  '01-wrap-a-function': import.meta.resolve('../../examples/01-wrap-a-function/main.ts'),
  '02-two-levels': import.meta.resolve('../../examples/02-two-levels/main.ts'),
  '03-origin-down': import.meta.resolve('../../examples/03-origin-down/main.ts'),
}

/** What each example has to print, among other things. */
const PRINTS: Record<string, RegExp[]> = {
  '01-wrap-a-function': [
    /^100 requests, one after the other +1 calls/m,
    /^1,000 requests at once, another key +1 calls/m,
    /^the partner changed: invalidate, read +1 calls/m,
    /'9': miss: /,
    /coalesced: 999,/,
  ],
  '02-two-levels': [
    /tea costs 990, from l2; calls of the origin: 3$/m,
    /durable: true; here tea costs 1090$/m,
    /in the other: 1090$/m,
    /all processes together: 4$/m,
  ],
  '03-origin-down': [
    /tea from call 1, stale-timeout/,
    /no coffee: ERR_TIMEOUT/,
    /tea from call \d+, stale-error/,
    /50 more requests, 0 more calls/,
    /no coffee: 503 Service Unavailable/,
    /tea from call \d+, loaded/,
  ],
}

describe('the small examples', () => {
  it('are all tested', () => {
    const folders = readdirSync('examples').filter((name) => /^\d/.test(name))
    expect(folders).toEqual(Object.keys(PRINTS))
  })

  for (const [name, patterns] of Object.entries(PRINTS)) {
    it(`${name} prints what it should and ends by itself`, {
      retry: 2,
      timeout: 30_000,
    }, async () => {
      const { stdout, stderr } = await run(
        process.execPath,
        [fileURLToPath(FILES[name] as string)],
        {
          timeout: 15_000,
        },
      )
      for (const pattern of patterns) expect(stdout).toMatch(pattern)
      expect(stderr).toBe('')
    })
  }
})
