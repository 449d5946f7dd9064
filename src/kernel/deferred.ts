/**
 * A promise that is made only when somebody wants it, and whose rejection is nobody's fault if nobody
 * does.
 */
export class Deferred<T> {
  #state: 'open' | 'resolved' | 'rejected' = 'open'
  #outcome: unknown
  #promise: Promise<T> | undefined
  #resolve: ((value: T) => void) | undefined
  #reject: ((error: unknown) => void) | undefined

  get promise(): Promise<T> {
    this.#promise ??= this.#make()
    return this.#promise
  }

  resolve(value: T): void {
    if (this.#state !== 'open') return
    this.#state = 'resolved'
    if (this.#resolve) this.#resolve(value)
    else this.#outcome = value
  }

  reject(error: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'rejected'
    this.#promise?.catch(() => {})
    if (this.#reject) this.#reject(error)
    else this.#outcome = error
  }

  #make(): Promise<T> {
    if (this.#state === 'resolved') return Promise.resolve(this.#outcome as T)
    if (this.#state === 'rejected') {
      const promise = Promise.reject(this.#outcome)
      promise.catch(() => {})
      return promise
    }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }
}
