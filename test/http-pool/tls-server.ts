import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A certificate for localhost, made by openssl, that nobody else trusts. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rc-tls-'))
  try {
    const cert = join(folder, 'cert.pem')
    const key = join(folder, 'key.pem')
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', cert],
    ])
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A real TLS server that counts its handshakes and answers with the version of HTTP it was asked in. */
export interface TlsServer extends AsyncDisposable {
  readonly url: string
  readonly handshakes: number
  /** Requests that are being answered now, and the most there ever were. */
  readonly most: number
}

export async function startTlsServer(
  { cert, key }: { cert: string; key: string },
  { http2, answerMs = 2 }: { http2: boolean; answerMs?: number },
): Promise<TlsServer> {
  let handshakes = 0
  let now = 0
  let most = 0
  const sockets = new Set<Socket>()
  const answer = (
    request: { httpVersion: string },
    response: { end(text: string): unknown },
  ): void => {
    most = Math.max(most, ++now)
    setTimeout(() => {
      now--
      response.end(request.httpVersion)
    }, answerMs)
  }
  const server = http2
    ? createSecureServer({ cert, key, allowHTTP1: true }, answer)
    : createHttps({ cert, key }, answer)
  server.on('secureConnection', (socket: Socket) => {
    handshakes++
    sockets.add(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://localhost:${port}/`,
    get handshakes() {
      return handshakes
    },
    get most() {
      return most
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
