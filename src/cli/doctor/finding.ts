export type Level = 'ok' | 'warning' | 'problem'

/** One thing that was looked at. */
export interface Finding {
  /** One word for what was looked at. */
  readonly check: string
  readonly level: Level
  /** What was found. */
  readonly message: string
  /** Why it matters, and what to do: of everything that is not ok. */
  readonly why?: string
  readonly fix?: string
}

export function ok(check: string, message: string): Finding {
  return { check, level: 'ok', message }
}

export function warning(check: string, message: string, why: string, fix: string): Finding {
  return { check, level: 'warning', message, why, fix }
}

export function problem(check: string, message: string, why: string, fix: string): Finding {
  return { check, level: 'problem', message, why, fix }
}
