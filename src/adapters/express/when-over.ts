import type { Response } from 'express'

/**
 * Calls `task` once: when the response has been handed over to the system, or its client has gone; at
 * once where that has happened already.
 */
export function whenOver(response: Response, task: () => void): void {
  if (response.writableFinished || response.closed) {
    task()
    return
  }
  // A client that goes away early ends a response without `finish`.
  const ended = (): void => {
    response.off('finish', ended)
    response.off('close', ended)
    task()
  }
  response.on('finish', ended)
  response.on('close', ended)
}
