import type { Clock } from '../../contracts/clock.ts'
import type { Duration } from '../../kernel/duration.ts'
import { checkCount, checkFunction, checkNumber, checkOptionNames } from '../../kernel/options.ts'
import { checkOverrides } from '../../llm/models/check-overrides.ts'
import type { ModelProfile } from '../../llm/models/model-profile.ts'
import type { FaultMode, FaultOptions, FaultPlan } from './fault-plan.ts'
import type { LoopbackServer } from './loopback-server.ts'

/** What the loopback providers have in common. */
export interface LoopbackOptions<Reply> {
  /** Give it a `FakeClock` to make lifetimes pass at once. @default real time */
  clock?: Clock
  /** From the arrival of a call until its answer begins. @default 0 */
  ttft?: Duration
  /** Before each piece of an answer. @default 0 */
  chunkDelay?: Duration
  /** Pieces in which a text is streamed. @default 5 */
  chunks?: number
  /** Rules that hold for all models instead of those of the built-in table, e.g. `{ minTokens: 1 }`. */
  profile?: Partial<ModelProfile>
  /** Makes the answers. @default a sentence that depends on the prompt alone */
  reply?: Reply
  /** Shares of the calls that fail, from 0 to 1, by mode. @default none */
  faults?: FaultOptions
  /** Of all that is left to chance: the same seed and calls give the same. @default 1 */
  seed?: number
}

/** A provider on this machine. */
export interface LoopbackProvider<Call> {
  /** For the option `baseURL` of the SDK. */
  readonly url: string
  /** How often it was asked for an answer, whatever became of it; each try of a client counts. */
  readonly calls: number
  /** One entry for each of them, in the order of their arrival. */
  readonly log: readonly Call[]
  /**
   * Makes calls fail, from now on or the next `times` of them; `fail('none')` ends it.
   * @throws ERR_INVALID_OPTION for a mode that there is not
   */
  fail(mode: FaultMode | 'none', options?: { times?: number }): void
  /** Ends open connections, and the server. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const NAMES = [
  'clock',
  'ttft',
  'chunkDelay',
  'chunks',
  'profile',
  'reply',
  'faults',
  'seed',
] as const satisfies readonly (keyof LoopbackOptions<never>)[]

/**
 * Checks what they have in common.
 * @param own names of options of this provider alone
 * @throws ERR_INVALID_OPTION
 */
export function checkLoopbackOptions(
  options: LoopbackOptions<unknown>,
  own: readonly string[],
  provider: string,
  where: string,
): void {
  checkOptionNames(options as unknown, [...NAMES, ...own], where)
  checkNumber(options.seed, `seed of ${where}`, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  checkCount(options.chunks, `chunks of ${where}`)
  checkFunction(options.reply, `reply of ${where}`)
  const { profile } = options
  if (profile !== undefined) {
    checkOverrides({ [`${provider}/${profile.id ?? '*'}`]: profile }, `profile of ${where}`)
  }
}

/** The face of a server, a plan of faults and a log. */
export function loopbackProvider<Call>(
  server: LoopbackServer,
  { fail }: FaultPlan,
  log: readonly Call[],
  path = '',
): LoopbackProvider<Call> {
  return {
    url: server.url + path,
    get calls() {
      return log.length
    },
    log,
    fail,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  }
}
