import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'

const ANSWER_MS = 30_000

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface Load {
  readonly url: string
  readonly documents: readonly string[]
  /** What to send, in this order, as indexes of `documents`. */
  readonly stream: readonly number[]
  readonly concurrency: number
  readonly signal: AbortSignal
  onAnswer(document: number, answer: Answer, latencyMs: number): void
}

/** Sends the stream with a fixed number of workers, each waiting for its answer before the next. */
export async function runLoad({ stream, documents, concurrency, signal, url, onAnswer }: Load) {
  const requests = stream.values()
  const worker = async () => {
    for (const document of requests) {
      const start = performance.now()
      const answer = await send(url, documents[document] as string, signal)
      onAnswer(document, answer, performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** `node:http` takes a third of the CPU time of `fetch`, which would be measured as latency here. */
const agent = new Agent({ keepAlive: true, timeout: ANSWER_MS })

export function send(url: string, xml: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const post = request(`${url}/documents`, { method: 'POST', agent, signal }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    post.on('error', reject)
    post.on('timeout', () => post.destroy(new Error('the service does not answer')))
    post.end(xml)
  })
}
