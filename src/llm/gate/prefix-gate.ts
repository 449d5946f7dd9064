import { type Duration, kindOf, toMs } from '../../kernel/duration.ts'
import {
  checkFunction,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import type { GateStats } from './gate-stats.ts'
import { GateTurns } from './gate-turns.ts'

/** What one call through the gate says about itself. */
export interface GateCall {
  /** Waits at most so long for the first of them. @default that of the gate */
  maxWait?: Duration
  /** Of the shared prefix: a small one is not worth a wait. */
  tokens?: number
  /** It is known to be there: nobody waits. */
  isWarm?: boolean
  signal?: AbortSignal
}

/** Lets one of several calls with the same prefix write it to the provider's cache before the others start. */
export interface PrefixGate {
  /**
   * Runs `task`, at once or when the first call with this prefix has got its first byte.
   * @param prefixId as a plan gives it
   * @param task calls `onFirstByte` when the answer begins; its end counts as well
   * @returns what `task` gives, or fails as it does
   * @throws ERR_ABORTED when its signal is aborted before `task` was begun, ERR_INVALID_OPTION
   */
  run<T>(
    prefixId: string,
    task: (onFirstByte: () => void) => PromiseLike<T> | T,
    call?: GateCall,
  ): Promise<T>
  stats(): GateStats
}

/** Options of `createPrefixGate`. */
export interface PrefixGateOptions {
  /** @default '5s' */
  maxWait?: Duration
  /** After the first byte, until the others start: providers may need a moment. @default 0 */
  commitLag?: Duration
  /** Prefixes below are not gated. @default 1024 */
  minTokens?: number
  /** How long a prefix that was written is taken for warm. @default '4m' */
  warmFor?: Duration
  clock?: import('../../contracts/clock.ts').Clock
}

const NAMES = ['maxWait', 'commitLag', 'minTokens', 'warmFor', 'clock']
const CALL_NAMES = ['maxWait', 'tokens', 'isWarm', 'signal']

/**
 * Makes several calls that begin alike pay for one write to the provider's prompt cache instead of one
 * each: a prefix can be read only after the first answer has begun, so the first call leads and the
 * others wait for that. When it fails, exactly one of them takes its place. Works within one process.
 *
 * @example
 * ```ts
 * const gate = createPrefixGate({ maxWait: '3s' })
 * const plan = planner.plan({ request })
 * const answer = await gate.run(plan.prefixId, () => client.messages.create(plan.request), {
 *   tokens: plan.prefixTokens,
 *   isWarm: plan.prefixIsWarm,
 * })
 * ```
 *
 * @throws ERR_INVALID_OPTION
 */
export function createPrefixGate(options: PrefixGateOptions = {}): PrefixGate {
  const {
    maxWait = '5s',
    commitLag = 0,
    minTokens = 1024,
    warmFor = '4m',
    clock = realClock,
  } = options ?? {}
  checkOptionNames(options, NAMES, 'createPrefixGate()')
  checkNumber(minTokens, 'minTokens', 0, Number.POSITIVE_INFINITY)
  const maxWaitMs = toMs(maxWait, 'maxWait')
  const turns = new GateTurns({
    commitLagMs: toMs(commitLag, 'commitLag'),
    minTokens,
    warmForMs: toMs(warmFor, 'warmFor'),
    clock,
  })
  return {
    async run(prefixId, task, call = {}) {
      const { tokens, isWarm = false, signal, maxWait: maxWaitOfCall } = call
      checkOptionNames(call, CALL_NAMES, 'run() of a prefix gate')
      if (typeof prefixId !== 'string') {
        throw invalidOption(`run() of a prefix gate takes a prefixId, got ${kindOf(prefixId)}`)
      }
      checkFunction(task ?? null, 'the task of a prefix gate')
      return turns.run(prefixId, task, {
        maxWaitMs: maxWaitOfCall === undefined ? maxWaitMs : toMs(maxWaitOfCall, 'maxWait'),
        tokens: tokens ?? Number.POSITIVE_INFINITY,
        isWarm,
        signal,
      })
    },
    stats: () => ({ ...turns.stats }),
  }
}
