import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestHandler } from 'express'
import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { whenOver } from './when-over.ts'

/** What {@link backgroundTasks} needs of a `background()`. */
export interface TaskTaker {
  run(task: (signal: AbortSignal) => unknown): unknown
}

declare global {
  namespace Express {
    interface Response {
      /**
       * Hands `task` to the background once this response has been sent, or its client has gone. There
       * where `backgroundTasks()` is used.
       */
      after(task: (signal: AbortSignal) => unknown): void
    }
  }
}

/**
 * Gives every response `res.after(task)`: work that starts after the response, so that its duration is
 * not the client's.
 *
 * ```ts
 * app.use(backgroundTasks(jobs))
 * app.post('/orders', (req, res) => {
 *   res.after(() => sendMail(req.body))
 *   res.status(202).end()
 * })
 * ```
 *
 * The task keeps the async context of the caller of `after`. Bounds, failures and shutdown are those of
 * the `background()`.
 *
 * @throws ERR_INVALID_OPTION for anything without `run`.
 */
export function backgroundTasks(background: TaskTaker): RequestHandler {
  if (typeof background?.run !== 'function') {
    throw invalidOption(`backgroundTasks() takes a background(), got ${kindOf(background)}`)
  }
  return (_request, response, next) => {
    response.after = (task) => {
      if (typeof task !== 'function') {
        throw invalidOption(`res.after() takes a function, got ${kindOf(task)}`)
      }
      const inContext = AsyncLocalStorage.snapshot()
      whenOver(response, () => inContext(() => background.run(task)))
    }
    next()
  }
}
