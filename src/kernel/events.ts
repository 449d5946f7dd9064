type Listener<E> = (event: E) => void

/**
 * Typed events that cost one boolean while nobody listens. A listener that throws is the listener's
 * problem: it is reported as a process warning and disturbs nobody else.
 */
export class Events<M extends object> {
  readonly #listeners = new Map<keyof M, Set<Listener<never>>>()

  has(name: keyof M): boolean {
    return this.#listeners.has(name)
  }

  /** @returns a function that stops listening. */
  on<N extends keyof M>(name: N, listener: Listener<M[N]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as Listener<never>)
    return () => {
      listeners.delete(listener as Listener<never>)
      if (listeners.size === 0) this.#listeners.delete(name)
    }
  }

  emit<N extends keyof M>(name: N, event: M[N]): void {
    const listeners = this.#listeners.get(name)
    if (listeners === undefined) return
    for (const listener of [...listeners]) {
      try {
        ;(listener as Listener<M[N]>)(event)
      } catch (error) {
        process.emitWarning(
          `a listener of the event '${String(name)}' threw: ${error instanceof Error ? error.message : 'unknown'}`,
          'ResilientCacheWarning',
        )
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
