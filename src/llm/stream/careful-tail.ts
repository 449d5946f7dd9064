import type { StreamTail } from './stream-tail.ts'

/**
 * The same tail, that no item can break. What it cannot read goes to the readers as it came; the stream is
 * incomplete then, so that it is not stored.
 */
export function carefulTail(tail: StreamTail): StreamTail {
  let broken = false
  return {
    add(item) {
      try {
        tail.add(item)
      } catch {
        broken = true
      }
    },
    get complete() {
      return !broken && tail.complete
    },
    get finished() {
      return tail.finished
    },
    get refusal() {
      return tail.refusal
    },
    final() {
      try {
        return tail.final()
      } catch {
        broken = true
        return undefined
      }
    },
  }
}
