import { checkBoolean, checkCount, checkOptionNames, invalidOption } from '../kernel/options.ts'
import type { ManyOrigin } from '../read-path/call-origin.ts'
import type { Outcome } from '../read-path/outcome.ts'
import { readMany } from '../read-path/read-many.ts'
import type { Read } from '../read-path/read-request.ts'
import { handOutPaid } from './llm-function.ts'
import type { WarmResult } from './results.ts'
import type { WrappedCore } from './wrapped-core.ts'

/** Many calls as one. */
export async function callMany(
  core: WrappedCore,
  self: unknown,
  lists: readonly unknown[][],
  options: { settle?: boolean } = {},
): Promise<unknown[]> {
  checkOptionNames(options, ['settle'], 'many()')
  checkBoolean(options.settle, 'settle')
  checkLists(lists, 'many()')
  const region = core.use()
  const { policy } = core
  const { manyOrigin } = policy
  const single = manyOrigin as ((...args: unknown[]) => unknown) | undefined
  const origin: ManyOrigin | undefined =
    single &&
    ((argumentLists, context) =>
      context === undefined
        ? single.call(self, argumentLists)
        : single.call(self, context, argumentLists))
  const requests = lists.map((args) => requestOf(core, self, args))
  const reads = requests.filter((request): request is Read => !(request instanceof Error))
  const outcomes = readMany(region, reads, origin)[Symbol.iterator]()
  const settled = await Promise.allSettled(
    requests.map((request) =>
      request instanceof Error ? Promise.reject(request) : (outcomes.next().value as Outcome),
    ),
  )
  if (options.settle) {
    return settled.map((result) =>
      result.status === 'fulfilled'
        ? { ok: true, value: handOutPaid({ region, policy }, result.value) }
        : { ok: false, error: result.reason },
    )
  }
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return handOutPaid({ region, policy }, result.value)
  })
}

/** Arguments that make no key fail their own call only. */
function requestOf(core: WrappedCore, self: unknown, args: readonly unknown[]): Read | Error {
  try {
    return core.request(self, args)
  } catch (error) {
    return error instanceof Error ? error : new Error('no key could be made', { cause: error })
  }
}

/** Loads what is missing; nobody waits for it. */
export async function warm(
  core: WrappedCore,
  load: (args: readonly unknown[]) => Promise<unknown>,
  lists: readonly unknown[][],
  options: { concurrency?: number },
): Promise<WarmResult> {
  checkOptionNames(options, ['concurrency'], 'warm()')
  checkCount(options.concurrency, 'concurrency')
  checkLists(lists, 'warm()')
  const region = core.use()
  const result = { loaded: 0, failed: 0 }
  const rest = lists[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const args of rest) {
      if (region.core.closed) return
      try {
        await load(args)
        result.loaded++
      } catch {
        result.failed++
      }
    }
  }
  const workers = Array.from({ length: Math.min(options.concurrency ?? 5, lists.length) }, worker)
  const work = Promise.all(workers).then(() => result)
  region.core.background.track(work)
  return work
}

function checkLists(lists: unknown, where: string): void {
  if (Array.isArray(lists) && lists.every((list) => Array.isArray(list))) return
  throw invalidOption(`${where} takes a list of argument lists, e.g. [[1], [2]]`)
}
