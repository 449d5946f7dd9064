import { expect, it } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'

const messageOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'nothing',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  )

const wrong: [() => Promise<unknown>, string][] = [
  [
    () => parallel([], { timout: 5 } as object),
    "unknown option of parallel: 'timout'; did you mean 'timeout'?",
  ],
  [() => parallel([], { concurrency: 0 }), 'concurrency must be a whole number ≥ 1, got 0'],
  [
    () => parallel([], { limit: 5 as never }),
    'limit must be a Runner such as semaphore(5), or a limiter such as pLimit(5), got a number',
  ],
  [() => parallel([], { signal: {} as never }), 'signal must be an AbortSignal, got an object'],
  [() => parallel([], { name: 5 as never }), 'name must be text, got a number'],
  [
    () => parallel([], { timeout: 'soon' as never }),
    "timeout must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'soon'",
  ],
  [
    () => parallel([], { await: 'setled' as never }),
    "await has no such choice: 'setled'; did you mean 'settled'?",
  ],
  [() => parallel(5 as never), 'parallel takes an object or an array of tasks, got a number'],
  [
    () => parallel({ secret: 'value' } as never),
    'task 1 of parallel must be a function such as (signal) => …, a promise or { run, timeout, fallback, optional }, got text',
  ],
  [
    () => parallel.settle([{ run: () => 1, fallbak: 1 } as never]),
    "unknown option of task 1 of parallel.settle: 'fallbak'; did you mean 'fallback'?",
  ],
  [
    () => parallel([{ run: 5 } as never]),
    'run of task 1 of parallel must be a function, got a number',
  ],
  [
    () => parallel.map(5 as never, () => 1),
    'parallel.map(items, fn, options) takes an iterable or an async iterable as items, got a number',
  ],
  [
    () => parallel.map([], 5 as never),
    'parallel.map(items, fn, options) takes a function as fn, got a number',
  ],
]

for (const [call, message] of wrong) {
  it(`is told: ${message}`, async () => {
    expect(await messageOf(call())).toBe(`ERR_INVALID_OPTION: ${message}`)
  })
}
