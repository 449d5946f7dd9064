type Listener<E> = (event: E) => unknown

/** One subscription: a function that listens twice is called twice, and stops once at a time. */
interface Subscription {
  readonly listener: Listener<never>
}

/**
 * Typed events that cost one boolean while nobody listens. A listener that throws or rejects is the
 * listener's problem: it is reported as a process warning and disturbs nobody else.
 */
export class Events<M extends object> {
  readonly #subscriptions = new Map<keyof M, Set<Subscription>>()

  has(name: keyof M): boolean {
    return this.#subscriptions.has(name)
  }

  /** @returns a function that stops listening. */
  on<N extends keyof M>(name: N, listener: Listener<M[N]>): () => void {
    const subscriptions = this.#subscriptions.get(name) ?? new Set()
    this.#subscriptions.set(name, subscriptions)
    const subscription = { listener: listener as Listener<never> }
    subscriptions.add(subscription)
    return () => {
      // Not twice: by then others may have subscribed to the same name.
      if (subscriptions.delete(subscription) && subscriptions.size === 0) {
        this.#subscriptions.delete(name)
      }
    }
  }

  emit<N extends keyof M>(name: N, event: M[N]): void {
    const subscriptions = this.#subscriptions.get(name)
    if (subscriptions === undefined) return
    for (const { listener } of [...subscriptions]) {
      try {
        const result = (listener as Listener<M[N]>)(event)
        if (result instanceof Promise) result.catch((error: unknown) => warn(name, error))
      } catch (error) {
        warn(name, error)
      }
    }
  }
}

function warn(name: PropertyKey, error: unknown): void {
  process.emitWarning(
    `a listener of the event '${String(name)}' failed: ${error instanceof Error ? error.message : 'unknown'}`,
    'ResilientCacheWarning',
  )
}
