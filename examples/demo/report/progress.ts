const LINE_MS = 1_000
const TERMINAL_MS = 100

export interface Progress {
  answered(failed: boolean): void
  /** Ends the line. */
  done(): void
}

type Output = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean }

/** One line that is rewritten on a terminal; a new line every second elsewhere. */
export function progress(out: Output, label: string, requests: number): Progress {
  let start = performance.now()
  let answers = 0
  let failures = 0
  const show = () => {
    const perSecond = Math.round((1_000 * answers) / (performance.now() - start))
    const line = `${label}: ${answers}/${requests} requests, ${perSecond}/s, ${failures} failed`
    out.write(out.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
  }
  const timer = setInterval(show, out.isTTY ? TERMINAL_MS : LINE_MS)
  return {
    answered(failed) {
      // The time that the service takes to start is not counted.
      if (answers === 0) start = performance.now()
      answers++
      if (failed) failures++
      if (answers < requests) return
      clearInterval(timer)
      show()
    },
    done() {
      clearInterval(timer)
      if (out.isTTY) out.write('\n')
    },
  }
}
