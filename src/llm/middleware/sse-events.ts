/**
 * Splits the text of an event stream into its events, each with the blank line that ends it; joined, they
 * are the text again (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export class SseSplitter {
  #rest = ''

  push(text: string): string[] {
    this.#rest += text
    const events: string[] = []
    const end = /\r\n\r\n|\n\n|\r\r/g
    let from = 0
    for (let match = end.exec(this.#rest); match; match = end.exec(this.#rest)) {
      events.push(this.#rest.slice(from, end.lastIndex))
      from = end.lastIndex
    }
    this.#rest = this.#rest.slice(from)
    return events
  }

  /** What came after the last whole event. */
  end(): string {
    return this.#rest
  }
}

/** The JSON in an event; `undefined` where there is none. */
export function sseData(event: string): unknown {
  const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'))
  const text = lines.map((line) => line.slice(line[5] === ' ' ? 6 : 5)).join('\n')
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
