/** A reply of a server: bulk and simple strings as bytes, errors as values. */
export type Reply = Buffer | number | null | ReplyError | Reply[]

/** An error reply; the message starts with its code, like `WRONGTYPE`. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
}

interface Parsed {
  readonly reply: Reply
  readonly next: number
}

/** Takes bytes as they come and gives the replies that are complete (RESP 2). */
export class RespParser {
  #bytes: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): Reply[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const replies: Reply[] = []
    for (;;) {
      const parsed = parse(this.#bytes, 0)
      if (parsed === undefined) return replies
      this.#bytes = this.#bytes.subarray(parsed.next)
      replies.push(parsed.reply)
    }
  }
}

function parse(bytes: Buffer, at: number): Parsed | undefined {
  const end = bytes.indexOf('\r\n', at)
  if (end < 0) return undefined
  const line = bytes.subarray(at + 1, end)
  const next = end + 2
  const mark = String.fromCharCode(bytes[at] as number)
  if (mark === '+') return { reply: line, next }
  if (mark === '-') return { reply: new ReplyError(line.toString()), next }
  if (mark === ':') return { reply: Number(line), next }
  if (mark === '$') return parseBulk(bytes, next, Number(line))
  if (mark === '*') return parseArray(bytes, next, Number(line))
  throw new Error(`Not a reply of Redis: ${JSON.stringify(mark)}`)
}

function parseBulk(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, next: at }
  if (bytes.length < at + length + 2) return undefined
  return { reply: bytes.subarray(at, at + length), next: at + length + 2 }
}

function parseArray(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, next: at }
  const reply: Reply[] = []
  let next = at
  for (let index = 0; index < length; index += 1) {
    const parsed = parse(bytes, next)
    if (parsed === undefined) return undefined
    reply.push(parsed.reply)
    next = parsed.next
  }
  return { reply, next }
}
