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

export async function send(url: string, xml: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(`${url}/documents`, {
    method: 'POST',
    body: xml,
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  })
  return { status: response.status, body: await response.text() }
}
