import { AsyncLocalStorage } from 'node:async_hooks'
import { currentScope } from './request-scope.ts'

/** Where in the program a key was asked for, and in which async context. */
export interface CallSite {
  /** Has the stack, as text that is made when it is read. */
  readonly trace: { readonly stack?: string }
  readonly context: object
}

/** Tells async contexts apart that are in no request scope. */
const contexts = new AsyncLocalStorage<object>()

/** @param asked the public function that the user has called: the stack begins above it */
export function callSiteAbove(asked: (...args: never[]) => unknown): CallSite {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, asked)
  return { trace, context: currentScope() ?? ownContext() }
}

/** What is awaited after this, in the function that asks, finds the same object again. */
function ownContext(): object {
  let context = contexts.getStore()
  if (context === undefined) {
    context = {}
    contexts.enterWith(context)
  }
  return context
}

/** The first line of the stack that is code of somebody: `loadOrders (file:///app/orders.ts:12:34)`. */
export function lineOf({ trace }: CallSite): string {
  const frames = (trace.stack ?? '').split('\n').slice(1)
  const own = frames.find((frame) => !frame.includes('<anonymous>')) ?? frames[0]
  return own?.trim().replace(/^at /, '') ?? 'unknown'
}
