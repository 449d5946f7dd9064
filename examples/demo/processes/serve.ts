import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Reply {
  readonly status?: number
  readonly body: unknown
}

export type Handler = (url: URL, body: string, method: string) => Promise<Reply>

export interface Serving {
  readonly port?: number
  /** Called once, when the last request has been answered. */
  readonly onClose?: () => Promise<void>
}

/**
 * Serves on the loopback interface and gives the address. SIGTERM, SIGINT or the death of the parent
 * process close it: open requests are answered first, then the process exits with 0.
 *
 * @param serving - port 0, the default, is any free one
 */
export async function serve(
  handler: Handler,
  { port = 0, onClose }: Serving = {},
): Promise<string> {
  const server = createServer((request, response) => void respond(handler, request, response))
  let closing = false
  const close = () => {
    if (closing) return
    closing = true
    server.close(async () => {
      await onClose?.()
      process.exit(0)
    })
    setTimeout(() => server.closeAllConnections(), 2_000).unref()
  }
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, close)

  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  process.send?.({ url })
  return url
}

async function respond(handler: Handler, request: IncomingMessage, response: ServerResponse) {
  let reply: Reply
  try {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const url = new URL(request.url ?? '/', 'http://localhost')
    reply = await handler(url, body, request.method ?? 'GET')
  } catch (error) {
    reply = { status: 500, body: { error: String(error) } }
  }
  const isText = typeof reply.body === 'string'
  response.writeHead(reply.status ?? 200, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
  })
  response.end(isText ? reply.body : `${JSON.stringify(reply.body)}\n`)
}
