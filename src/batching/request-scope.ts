import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { kindOf } from '../kernel/duration.ts'
import { invalidOption } from '../kernel/options.ts'

/**
 * The present async context, to run work in it later. `AsyncLocalStorage.snapshot()` would be the same
 * at a hundred times the price, too much for each request.
 */
export function captureContext(): AsyncResource {
  return new AsyncResource('ResilientCacheLoader')
}

/** What belongs to one request: of each loader its memo and the batch that gathers. */
export class Scope {
  /** The async context in which the batches of this request run; set once it has begun. */
  context: AsyncResource | undefined
  #owner: object | undefined
  #part: unknown
  /** Of the others: most requests use one loader, or one at a time. */
  #others: Map<object, unknown> | undefined

  /** The part of one owner, made by it at its first use. */
  part<T>(owner: object, make: (scope: Scope) => T): T {
    if (this.#owner === owner) return this.#part as T
    const part = (this.#others?.get(owner) as T | undefined) ?? make(this)
    if (this.#owner !== undefined) {
      this.#others ??= new Map()
      this.#others.set(this.#owner, this.#part)
    }
    this.#owner = owner
    this.#part = part
    return part
  }
}

const scopes = new AsyncLocalStorage<Scope>()

export function currentScope(): Scope | undefined {
  return scopes.getStore()
}

/**
 * Runs `fn` as one request: until all that it has begun is over, each loader remembers what it has
 * loaded for it, and puts its loads into batches of their own. Nothing is left of that for the next
 * request. A scope within a scope starts anew.
 *
 * ```ts
 * app.use((req, res, next) => requestScope(next))
 * ```
 * @returns what `fn` returns
 * @throws ERR_INVALID_OPTION for anything that is no function
 */
export function requestScope<T>(fn: () => T): T {
  if (typeof fn !== 'function') {
    throw invalidOption(`requestScope(fn) takes a function, got ${kindOf(fn)}`)
  }
  const scope = new Scope()
  return scopes.run(scope, () => {
    // Inside, so that a batch function which uses another loader finds the scope again.
    scope.context = captureContext()
    return fn()
  })
}
