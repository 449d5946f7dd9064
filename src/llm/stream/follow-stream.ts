import { accumulateAnthropic } from './accumulate-anthropic.ts'
import { accumulateChat, accumulateResponses } from './accumulate-openai.ts'
import type { StreamTail } from './stream-tail.ts'

/** Recognises the streams of the providers by their first item. */
export function followStream(): StreamTail {
  let tail: StreamTail | undefined
  return {
    add(item) {
      tail ??= tailFor(item)
      tail.add(item)
    },
    get complete() {
      return tail?.complete ?? true
    },
    get finished() {
      return tail?.finished ?? false
    },
    final: () => tail?.final(),
  }
}

function tailFor(first: unknown): StreamTail {
  const { type, object } = (typeof first === 'object' && first !== null ? first : {}) as {
    type?: unknown
    object?: unknown
  }
  if (type === 'message_start') return accumulateAnthropic()
  if (object === 'chat.completion.chunk') return accumulateChat()
  if (typeof type === 'string' && type.startsWith('response.')) return accumulateResponses()
  return lastItem()
}

/** Nothing is known of it: what ends without an error has ended, and its last item has the last word. */
function lastItem(): StreamTail {
  let last: unknown
  return {
    add(item) {
      last = item
    },
    complete: true,
    finished: false,
    final: () => last,
  }
}
