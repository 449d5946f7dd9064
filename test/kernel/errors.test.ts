import { expect, it, vi } from 'vitest'
import { type ErrorCode, isResilienceError, ResilienceError } from '../../src/kernel/errors.ts'

const RETRYABLE: Record<ErrorCode, boolean> = {
  ERR_TIMEOUT: true,
  ERR_CIRCUIT_OPEN: true,
  ERR_RATE_LIMITED: true,
  ERR_BULKHEAD_FULL: true,
  ERR_L2_UNAVAILABLE: true,
  ERR_ABORTED: false,
  ERR_INVALID_OPTION: false,
  ERR_ALREADY_CONFIGURED: false,
  ERR_UNCACHEABLE_KEY: false,
  ERR_UNSERIALIZABLE: false,
  ERR_CLOSED: false,
  ERR_NOT_FOUND: false,
}

it.each(Object.entries(RETRYABLE))('%s: retryable is %s', (code, retryable) => {
  const error = new ResilienceError(code as ErrorCode, 'what and how')
  expect(error).toMatchObject({ name: 'ResilienceError', code, retryable, message: 'what and how' })
  expect(error).toBeInstanceOf(Error)
})

it('can be told otherwise', () => {
  expect(new ResilienceError('ERR_TIMEOUT', 'x', { retryable: false }).retryable).toBe(false)
})

it('has cause and retryAfterMs only where they were given', () => {
  const bare = new ResilienceError('ERR_RATE_LIMITED', 'x')
  expect('cause' in bare).toBe(false)
  expect(bare.retryAfterMs).toBeUndefined()
  const full = new ResilienceError('ERR_RATE_LIMITED', 'x', { cause: undefined, retryAfterMs: 0 })
  expect('cause' in full).toBe(true)
  expect(full.retryAfterMs).toBe(0)
})

it('is recognised by code', () => {
  const error = new ResilienceError('ERR_TIMEOUT', 'x')
  expect(isResilienceError(error)).toBe(true)
  expect(isResilienceError(error, 'ERR_TIMEOUT')).toBe(true)
  expect(isResilienceError(error, 'ERR_CLOSED')).toBe(false)
})

it.each([null, undefined, 'ERR_TIMEOUT', new Error('x'), { code: 'ERR_TIMEOUT' }, () => 1])(
  'is not mistaken: %s',
  (value) => {
    expect(isResilienceError(value)).toBe(false)
  },
)

it('is recognised across copies of the package, where instanceof lies', async () => {
  vi.resetModules()
  const copy = await import('../../src/kernel/errors.ts')
  const foreign = new copy.ResilienceError('ERR_CLOSED', 'x')
  expect(foreign).not.toBeInstanceOf(ResilienceError)
  expect(isResilienceError(foreign, 'ERR_CLOSED')).toBe(true)
  expect(copy.isResilienceError(new ResilienceError('ERR_CLOSED', 'x'), 'ERR_CLOSED')).toBe(true)
})
