import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request and the way to answer it. */
export interface Exchange {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Aborted when the client has gone before the answer was complete, and when the server closes. */
  readonly signal: AbortSignal
  readonly response: ServerResponse
}

export interface LoopbackServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  /** Ends open connections too. */
  close(): Promise<void>
}

/** A server on a free port that only this machine can reach. */
export async function loopbackServer(
  handle: (exchange: Exchange) => Promise<void>,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    // What a client that has gone leaves unwritten is no error of ours.
    response.on('error', () => {})
    serve(request, response, handle).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  await handle({
    method: request.method ?? '',
    path: new URL(request.url ?? '/', 'http://loopback').pathname,
    headers: request.headers,
    body: Buffer.concat(chunks).toString(),
    signal: gone.signal,
    response,
  })
}

/** The key the client sent, as `x-api-key` or as bearer. */
export function keyOf({ headers }: Exchange): string | undefined {
  const key = headers['x-api-key']
  if (typeof key === 'string' && key !== '') return key
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
}

export function sendJson(
  { response }: Exchange,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** The first half of an answer, which says how long all of it is. */
export function sendHalf(
  exchange: Exchange,
  body: unknown,
  headers: Record<string, string>,
): Promise<void> {
  const text = JSON.stringify(body)
  exchange.response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  })
  return send(exchange, text.slice(0, text.length / 2))
}

/** Resolves when the text has left this process, or cannot any more. */
function send({ response }: Exchange, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.write(text, () => resolve())
  })
}

/** Begins a stream of server-sent events. */
export function openEvents(
  { response }: Exchange,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...headers,
  })
}

/** @param event its name; without one only data is sent */
export function sendEvent(exchange: Exchange, event: string | undefined, data: string) {
  return send(exchange, `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`)
}

/** Destroys the connection; what was sent before arrives. */
export function cut({ response }: Exchange): void {
  response.destroy()
}
