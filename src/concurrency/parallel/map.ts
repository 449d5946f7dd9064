import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { AsyncItems } from './async-items.ts'
import { Call } from './call.ts'
import { Feed } from './feed.ts'
import { Items, type MapFunction } from './items.ts'
import { resolveOptions } from './options.ts'

/** Of an async iterable nobody knows how long it is; reading it all at once could fill the memory. */
const READ_AHEAD = 16

/** `parallel.map`. */
export function mapItems(items: unknown, fn: unknown, options: unknown): Promise<unknown> {
  const where = 'parallel.map'
  const settings = resolveOptions(options, where)
  if (typeof fn !== 'function') {
    throw invalidOption(`${where}(items, fn, options) takes a function as fn, got ${kindOf(fn)}`)
  }
  const call = new Call({ settings })
  const run = fn as MapFunction
  const { concurrency, limit } = settings
  if (isAsync(items)) {
    const source = new AsyncItems(call, items, run)
    const most = concurrency ?? (limit ? undefined : READ_AHEAD)
    const feed = new Feed(call, source, most)
    source.onRead = () => feed.pump()
    call.open()
    feed.pump()
  } else {
    if (!isIterable(items)) {
      throw invalidOption(
        `${where}(items, fn, options) takes an iterable or an async iterable as items, got ${kindOf(items)}`,
      )
    }
    const feed = new Feed(call, new Items(call, items, run), concurrency)
    call.open()
    feed.pump()
  }
  return call.promise
}

function isAsync(items: unknown): items is AsyncIterable<unknown> {
  return typeof (items as AsyncIterable<unknown> | null)?.[Symbol.asyncIterator] === 'function'
}

function isIterable(items: unknown): items is Iterable<unknown> {
  return typeof (items as Iterable<unknown> | null)?.[Symbol.iterator] === 'function'
}
