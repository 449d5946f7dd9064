// RESP2 as sentinels speak it: a few short texts. The data connection has a client of its own; here
// a sentinel that lies, or a server that is no sentinel at all, must not be able to do any harm.

export type RespValue = string | number | null | RespError | readonly RespValue[]

/** What the server said is wrong: its first word is the kind, `WRONGPASS` for one. */
export class RespError extends Error {
  override readonly name = 'RespError'
}

const LONGEST_BYTES = 1024 * 1024
const DEEPEST = 4
const CR = 13

interface Read {
  readonly value: RespValue
  readonly end: number
}

/** Cuts what arrives into replies. */
export class RespReader {
  #buffer: Buffer = Buffer.alloc(0)

  /** @throws when this is not RESP, or longer than any reply of a sentinel */
  push(chunk: Buffer): RespValue[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    const values: RespValue[] = []
    let at = 0
    while (at < this.#buffer.length) {
      const read = readValue(this.#buffer, at, 0)
      if (!read) break
      values.push(read.value)
      at = read.end
    }
    this.#buffer = this.#buffer.subarray(at)
    if (this.#buffer.length > LONGEST_BYTES) throw notResp()
    return values
  }
}

/** Nothing while it is incomplete. */
function readValue(buffer: Buffer, at: number, depth: number): Read | undefined {
  const eol = buffer.indexOf(CR, at)
  if (eol < 0 || eol + 1 >= buffer.length) {
    if (!'+-:$*'.includes(String.fromCharCode(buffer[at] ?? 0))) throw notResp()
    return undefined
  }
  const line = buffer.toString('utf8', at + 1, eol)
  const end = eol + 2
  switch (String.fromCharCode(buffer[at] ?? 0)) {
    case '+':
      return { value: line, end }
    case '-':
      return { value: new RespError(line), end }
    case ':':
      return { value: Number(line), end }
    case '$':
      return readText(buffer, lengthOf(line), end)
    case '*':
      return readList(buffer, lengthOf(line), end, depth)
    default:
      throw notResp()
  }
}

function readText(buffer: Buffer, length: number, from: number): Read | undefined {
  if (length < 0) return { value: null, end: from }
  if (buffer.length < from + length + 2) return undefined
  return { value: buffer.toString('utf8', from, from + length), end: from + length + 2 }
}

function readList(buffer: Buffer, count: number, from: number, depth: number): Read | undefined {
  if (count < 0) return { value: null, end: from }
  if (depth >= DEEPEST) throw notResp()
  const value: RespValue[] = []
  let end = from
  for (let i = 0; i < count; i++) {
    if (end >= buffer.length) return undefined
    const read = readValue(buffer, end, depth + 1)
    if (!read) return undefined
    value.push(read.value)
    end = read.end
  }
  return { value, end }
}

function lengthOf(line: string): number {
  const length = Number(line)
  if (!Number.isInteger(length) || length < -1 || length > LONGEST_BYTES) throw notResp()
  return length
}

function notResp(): RespError {
  return new RespError('PROTOCOL the reply is not that of a Redis server')
}
