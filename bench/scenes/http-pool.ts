import { request } from 'node:https'
import { selfSigned, startTlsServer } from '../../test/http-pool/tls-server.ts'
import type { Measured, Scene } from '../harness/scene.ts'

const CALLS = 200
const CONNECTIONS = 10

/**
 * 200 calls at once to a TLS server of this process: how many handshakes they cost, in the handshakes
 * that the pool may make; beside it the same calls without a pool, each by a connection of its own.
 */
export const scene: Scene = async ({ library }) => {
  const certificate = await selfSigned()
  const results: Measured[] = []
  for (const http2 of [false, true]) {
    await using server = await startTlsServer(certificate, { http2 })
    await using pool = await library.httpPool({
      connections: CONNECTIONS,
      tls: { ca: certificate.cert },
    })
    const pooled = await timed(async () => void (await (await pool.fetch(server.url)).text()))
    const handshakes = server.handshakes
    const single = await timed(() => callAlone(server.url, certificate.cert))
    results.push({
      id: http2 ? 'http-pool-h2' : 'http-pool',
      samples: [handshakes / CONNECTIONS],
      parts: {
        handshakes,
        ms: pooled,
        withoutPool: server.handshakes - handshakes,
        withoutPoolMs: single,
      },
    })
  }
  return results
}

async function timed(call: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: CALLS }, call))
  return performance.now() - startedAt
}

function callAlone(url: string, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false }, (answer) => {
      answer.resume().on('end', resolve)
    })
    call.on('error', reject).end()
  })
}
