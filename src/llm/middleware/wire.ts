import { SseSplitter } from './sse-events.ts'

/** How an answer began. */
export interface WireHead {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
}

/** What is recorded of an HTTP answer: its head, then its text; of an event stream event by event. */
export type WireItem = WireHead | string

/** They speak of the bytes on the wire, which `fetch` has unpacked. */
const OF_THE_WIRE: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'set-cookie',
  'transfer-encoding',
])

/** Reads an answer whole, or as it comes where it is an event stream. */
export async function* wireItems(response: Response): AsyncGenerator<WireItem, void> {
  const headers = [...response.headers].filter(([name]) => !OF_THE_WIRE.has(name))
  yield { status: response.status, headers }
  if (!response.body) return
  const isEventStream = response.headers.get('content-type')?.includes('text/event-stream')
  if (!isEventStream) {
    yield await response.text()
    return
  }
  const splitter = new SseSplitter()
  // A byte order mark belongs to the text: it is given out byte for byte.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for await (const chunk of response.body) {
    yield* splitter.push(decoder.decode(chunk as Uint8Array, { stream: true }))
  }
  const last = splitter.push(decoder.decode())
  yield* last
  const rest = splitter.end()
  if (rest !== '') yield rest
}
