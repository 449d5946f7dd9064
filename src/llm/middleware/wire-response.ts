import type { SharedStream } from '../stream/stream-reader.ts'
import type { WireHead, WireItem } from './wire.ts'
import { isEventStream } from './wire-tail.ts'

/** Headers that are still true of an answer that is replayed: the others are about another time. */
const KEPT: ReadonlySet<string> = new Set([
  'anthropic-organization-id',
  'anthropic-workspace-id',
  'content-type',
  'request-id',
])

/** The Response constructor takes no body for them. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * An answer as the client expects it, made of what is stored or being recorded. Its body fails when the
 * client's signal is aborted: the SDK waits for that, and would wait for ever otherwise.
 */
export async function wireResponse(
  reader: SharedStream<WireItem>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const first = await reader.next().catch((error: unknown) => {
    throw asTheClientKnowsIt(error, signal)
  })
  const head = first.value as WireHead
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.next()
          if (done) controller.close()
          else controller.enqueue(encoder.encode(value as string))
        } catch (error) {
          controller.error(asTheClientKnowsIt(error, signal))
        }
      },
      async cancel() {
        await reader.return()
      },
    },
    // Nothing is read ahead of the client: the fastest reader sets the pace of the upstream.
    { highWaterMark: 0 },
  )
  const hasBody = !WITHOUT_BODY.has(head.status)
  if (!hasBody) await reader.return()
  return new Response(hasBody ? body : null, {
    status: head.status,
    headers: headersOf(head, reader.source),
  })
}

function headersOf(head: WireHead, source: SharedStream<WireItem>['source']): Headers {
  // Who shares a call shares what it says of the limits, above all when to try again.
  const isLive = source !== 'replay'
  const headers = new Headers()
  for (const [name, value] of head.headers) {
    if (isLive || KEPT.has(name)) headers.append(name, value)
  }
  if (source === 'joined') headers.set('x-cache', 'joined')
  if (source === 'replay') headers.set('x-cache', isEventStream(head) ? 'replay' : 'hit')
  return headers
}

/** An abort has to look like one of `fetch`. */
function asTheClientKnowsIt(error: unknown, signal: AbortSignal | undefined): unknown {
  return signal?.aborted ? signal.reason : error
}
