import { afterAll, beforeAll, expect, it } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'

const unhandled: unknown[] = []
const listen = (reason: unknown) => unhandled.push(reason)
beforeAll(() => void process.on('unhandledRejection', listen))
afterAll(() => void process.off('unhandledRejection', listen))

const later = (error: string, turns: number) => async () => {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
  throw new Error(error)
}
const promise = (turns: number) => later('a promise', turns)()
const silent = (call: Promise<unknown>) => call.catch(() => {})

it('never leaves a rejection that nobody handles', async () => {
  const aborted = AbortSignal.abort()
  const calls = [
    parallel([later('first', 1), later('second', 2), promise(1), promise(3)]),
    parallel([later('first', 0), promise(0), promise(2)], { await: 'settled' }),
    parallel([promise(1), promise(2)], { signal: aborted }),
    parallel([promise(1)], { concurency: 1 } as object),
    parallel({ wrong: 5, right: promise(1) } as never),
    parallel.settle([promise(1), later('x', 2)], { signal: aborted }),
    parallel.settle([promise(1), later('x', 2)], { taskTimeout: 0 }),
    parallel([{ run: later('x', 5), timeout: 0, fallback: later('worse', 3) }], { timeout: 1 }),
    parallel.map([1, 2, 3, 4], later('item', 1), { concurrency: 2 }),
    parallel.map([1, 2, 3, 4], later('item', 1), { concurrency: 2, taskTimeout: 0 }),
    parallel.graph({ a: promise(1), b: later('b', 1), c: { after: ['b'], run: later('c', 0) } }),
    parallel.graph({ a: promise(1), c: { after: ['nobody'], run: later('c', 0) } } as never),
  ]
  await Promise.all(calls.map(silent))
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(unhandled).toEqual([])
})
