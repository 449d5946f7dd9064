/** A call of thousands of tasks that all fail keeps so many of their errors. */
const MOST = 100

/**
 * The errors that came after the first one. They become its `suppressed` member, a list of this call's
 * own: an error that is shared, such as that of an open breaker, never collects those of every call.
 */
export class Suppressed {
  readonly #first: unknown
  #errors: unknown[] | undefined

  constructor(first: unknown) {
    this.#first = first
  }

  add(error: unknown): void {
    if (isEcho(error, this.#first)) return
    this.#errors ??= attach(this.#first)
    if (this.#errors.length < MOST) this.#errors.push(error)
  }
}

/** Tasks that were told to stop end with the reason they were given, or an error made of it. */
function isEcho(error: unknown, first: unknown): boolean {
  return error === first || (error instanceof Error && error.cause === first)
}

function attach(first: unknown): unknown[] {
  const errors: unknown[] = []
  if (typeof first === 'object' && first !== null && Object.isExtensible(first)) {
    Object.defineProperty(first, 'suppressed', {
      value: errors,
      configurable: true,
      writable: true,
    })
  }
  return errors
}
