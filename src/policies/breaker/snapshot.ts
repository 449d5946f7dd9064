import { shown } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'

/** `isolated`: held open by hand. */
export type BreakerState = 'closed' | 'open' | 'half-open' | 'isolated'

/** The state of a breaker as JSON, for the process that comes next. */
export interface BreakerSnapshot {
  readonly version: 1
  readonly state: BreakerState
  /** When it opened, in milliseconds since 1970. */
  readonly openedAt?: number
  /** For how long, in milliseconds; `null` is for ever. */
  readonly openForMs?: number | null
  /** How many times it has opened since it was last closed. */
  readonly openings: number
  /** Why it is isolated, if somebody has said so. */
  readonly reason?: string
}

const STATES: readonly unknown[] = ['closed', 'open', 'half-open', 'isolated']

/**
 * @returns `undefined` for the snapshot of a later version: a service must start after a rollback too
 * @throws ERR_INVALID_OPTION for what is no snapshot at all
 */
export function readSnapshot(value: unknown): BreakerSnapshot | undefined {
  if (value === undefined) return undefined
  const snapshot = value as BreakerSnapshot | null
  if (typeof snapshot !== 'object' || snapshot === null || !Number.isInteger(snapshot.version)) {
    throw invalidOption(`state must be what snapshot() gave, got ${shown(value)}`)
  }
  if (snapshot.version !== 1) return undefined
  const { state, openings, reason } = snapshot
  const isReason = reason === undefined || typeof reason === 'string'
  if (!STATES.includes(state) || !isCount(openings) || !isReason || !isOpeningOf(snapshot)) {
    throw invalidOption('state must be what snapshot() gave; a member of it is wrong')
  }
  return snapshot
}

/** One that is open for a time unknown would be so for ever. */
function isOpeningOf({ state, openedAt, openForMs }: BreakerSnapshot): boolean {
  if (openedAt === undefined) return state === 'closed' || state === 'isolated'
  return state !== 'closed' && isTime(openedAt) && (openForMs === null || isTime(openForMs))
}

function isCount(value: unknown): boolean {
  return isTime(value) && Number.isInteger(value)
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}
