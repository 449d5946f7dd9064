import type { Clock } from '../contracts/clock.ts'

/** Where text goes. */
export interface Output {
  write(text: string): void
  readonly isTty: boolean
  readonly columns: number
}

/** Everything of the process that the commands use. */
export interface CliWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly out: Output
  readonly err: Output
  readStdin(): Promise<string>
}

/** 0 good, 1 something is wrong with what was looked at, 2 bad usage. */
export type ExitCode = 0 | 1 | 2

/** No step of a command waits longer for a server. */
export const STEP_MS = 2000
