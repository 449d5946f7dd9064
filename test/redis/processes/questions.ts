/** What a test asks a process to do. */
export interface Question {
  readonly id: number
  readonly action: string
  readonly input: unknown
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

export interface Place {
  readonly name: string
  readonly url?: string
  readonly cluster?: { host: string; port: number }[]
  /** Where the origin has its values. */
  readonly truthUrl?: string
}

export interface Asked {
  readonly key: string
  readonly callers: number
  /** In milliseconds since 1970. */
  readonly at: number
  readonly originMs: number
  readonly outcome: 'value' | 'failure' | 'uncached'
  readonly tellsOrigin?: boolean
}

export interface BurstFigures {
  readonly calls: number
  /** Distinct values and errors. */
  readonly answers: string[]
  readonly times: number[]
  readonly tookMs: number
}

/** By kind: when they arrived, in milliseconds of the machine's clock. */
export type Messages = Record<string, number[]>

export interface Staleness {
  readonly keys: string[]
  readonly value: string
  readonly since: number
}
