import type { Reply } from '../transport.ts'

// RESP2 for those who ask a server two questions and need no client: the sentinel links and the
// doctor. A server that lies, or is none at all, must not be able to do any harm.

const DEEPEST = 6

interface Bounds {
  readonly longestBytes: number
  readonly depth: number
}

interface Read {
  readonly value: Reply
  readonly end: number
}

/** Cuts what arrives into replies. */
export class RespReader {
  readonly #longestBytes: number
  #chunks: Buffer[] = []
  #bytes = 0
  /** Before so much has arrived, the reply that has begun cannot be complete. */
  #needed = 0

  /** @param longestBytes of one reply */
  constructor(longestBytes: number) {
    this.#longestBytes = longestBytes
  }

  /** @throws when this is not RESP, or longer than any reply may be */
  push(chunk: Buffer): Reply[] {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#needed) return []
    const buffer = Buffer.concat(this.#chunks)
    const values: Reply[] = []
    let at = 0
    while (at < buffer.length) {
      const read = readValue(buffer, at, { longestBytes: this.#longestBytes, depth: 0 })
      if (typeof read === 'number') {
        this.#needed = read - at
        break
      }
      values.push(read.value)
      at = read.end
    }
    this.#chunks = [buffer.subarray(at)]
    this.#bytes = buffer.length - at
    if (this.#bytes === 0) this.#needed = 0
    if (this.#bytes > this.#longestBytes) throw notResp()
    return values
  }
}

/** While it is incomplete: where it ends at the earliest. */
function readValue(buffer: Buffer, at: number, bounds: Bounds): Read | number {
  const kind = String.fromCharCode(buffer[at] ?? 0)
  if (!'+-:$*'.includes(kind)) throw notResp()
  const eol = buffer.indexOf('\r\n', at)
  if (eol < 0) return buffer.length + 1
  const line = buffer.toString('utf8', at + 1, eol)
  const end = eol + 2
  if (kind === '+') return { value: Buffer.from(line), end }
  if (kind === '-') return { value: new Error(line), end }
  if (kind === ':') return { value: Number(line), end }
  const length = lengthOf(line, bounds)
  if (length < 0) return { value: null, end }
  if (kind === '*') return readList(buffer, length, end, bounds)
  const behind = end + length + 2
  if (buffer.length < behind) return behind
  return { value: buffer.subarray(end, end + length), end: behind }
}

function readList(buffer: Buffer, count: number, from: number, bounds: Bounds): Read | number {
  const inner = { ...bounds, depth: bounds.depth + 1 }
  if (inner.depth > DEEPEST) throw notResp()
  const value: Reply[] = []
  let end = from
  for (let i = 0; i < count; i++) {
    if (end >= buffer.length) return end + 1
    const read = readValue(buffer, end, inner)
    if (typeof read === 'number') return read
    value.push(read.value)
    end = read.end
  }
  return { value, end }
}

function lengthOf(line: string, { longestBytes }: Bounds): number {
  const length = Number(line)
  if (!Number.isInteger(length) || length < -1 || length > longestBytes) throw notResp()
  return length
}

function notResp(): Error {
  // How the client says it, so that it is explained in the same words.
  return new Error('Protocol error: the reply is not that of a Redis server')
}
