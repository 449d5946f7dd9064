import { accumulateAnthropic } from '../stream/accumulate-anthropic.ts'
import type { StreamTail } from '../stream/stream-tail.ts'
import { sseData } from './sse-events.ts'
import type { WireHead, WireItem } from './wire.ts'

/** Follows an HTTP answer of the Messages API, whole or as an event stream. */
export function followWire(): StreamTail {
  let body: StreamTail | undefined
  let refusal: unknown
  return {
    add(item) {
      if (typeof item === 'string') body?.add(item)
      else {
        const head = item as WireHead
        body = isEventStream(head) ? ofEvents() : ofJson()
        if (head.status < 200 || head.status > 299) {
          refusal = new Error(`the provider has answered with status ${head.status}`)
        }
      }
    },
    get complete() {
      return body?.complete === true
    },
    get finished() {
      return body?.finished === true
    },
    get refusal() {
      return refusal
    },
    final: () => body?.final(),
  }
}

export function isEventStream({ headers }: Exclude<WireItem, string>): boolean {
  return headers.some(
    ([name, value]) => name === 'content-type' && value.includes('text/event-stream'),
  )
}

function ofEvents(): StreamTail {
  const tail = accumulateAnthropic()
  return {
    add: (event) => tail.add(sseData(event as string)),
    get complete() {
      return tail.complete
    },
    get finished() {
      return tail.finished
    },
    final: () => tail.final(),
  }
}

function ofJson(): StreamTail {
  let message: unknown
  return {
    add(text) {
      try {
        message = JSON.parse(text as string)
      } catch {
        // Cut off, or no JSON at all: it is handed on, and not stored.
        message = undefined
      }
    },
    get complete() {
      return message !== undefined
    },
    get finished() {
      return message !== undefined
    },
    final: () => message,
  }
}
