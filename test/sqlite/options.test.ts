import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'

describe('sqlite()', () => {
  it.each([
    [{}, /path/],
    [{ path: '' }, /path/],
    [{ path: 42 }, /path/],
    [{ path: 'a\0b' }, /path/],
    [{ path: ':memory:' }, /memory\(\)/],
    [{ path: 'x', maxBytes: '1kb' }, /256kb/],
    [{ path: 'x', maxBytes: 'big' }, /maxBytes/],
    [{ path: 'x', timeout: -1 }, /timeout/],
    [{ path: 'x', timeout: 0 }, /timeout/],
    [{ path: 'x', maxByte: 1 }, /maxBytes/],
    ['x', /options object/],
  ])('refuses %j', (options, message) => {
    expect(() => sqlite(options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringMatching(message),
      }),
    )
  })

  it('touches no file before a cache opens it', () => {
    const store = sqlite({ path: '/tmp/rc-never-opened/cache.db', timeout: '80ms' })
    expect(store).toMatchObject({ source: 'file', coherence: 'ttl-only', timeoutMs: 80 })
    expect(existsSync('/tmp/rc-never-opened')).toBe(false)
  })
})
