import type { Failure } from '../contracts/store.ts'

/** What others need to recognise an error; the rest stays in this process. */
const LONGEST_TEXT = 300

/** The failure of an origin as other processes are told of it. */
export function failureOf(error: unknown): Failure {
  try {
    const { name, message, code } = (error ?? {}) as Partial<Record<keyof Failure, unknown>>
    return {
      name: cut(name) ?? 'Error',
      message: cut(message) ?? 'the origin failed with something that is no Error',
      ...(typeof code === 'string' ? { code: code.slice(0, LONGEST_TEXT) } : {}),
    }
  } catch {
    // An error whose properties cannot be read.
    return { name: 'Error', message: 'the origin failed' }
  }
}

/** The failure of an origin in another process, for callers that have waited for it. */
export class FailureElsewhere extends Error {
  override readonly name: string
  readonly code: string | undefined
  /** It was not the origin of this process that failed. */
  readonly fromAnotherProcess = true

  constructor({ name, message, code }: Failure) {
    super(message)
    this.name = name
    this.code = code
  }
}

function cut(text: unknown): string | undefined {
  return typeof text === 'string' ? text.slice(0, LONGEST_TEXT) : undefined
}
