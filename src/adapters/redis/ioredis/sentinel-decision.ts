import type { Candidate, Endpoint } from './discovery.ts'

export interface Situation {
  /** What the majority of the sentinels names. */
  readonly named: Endpoint | undefined
  /** The server in use. */
  readonly held: Candidate | undefined
  /** The server that is being connected to. */
  readonly pending: Candidate | undefined
  /** Where the connection was told to go, and has not yet gone. */
  readonly moving: Endpoint | undefined
  /** A question to the sentinels on behalf of the connection is under way. */
  readonly finding: boolean
  isSame(a: Endpoint, b: Endpoint): boolean
  /** It was tried, and would not do. */
  wasRefused(endpoint: Endpoint): boolean
}

/**
 * `move`: leave the server in use, or stop waiting. `probe`: see first whether the master will do by
 * now. `source`: it is where the connection is, which was not known for sure.
 */
export type Decision = 'none' | 'move' | 'probe' | 'source'

/**
 * What follows from what the sentinels say. Only the address counts, never that they said something:
 * every sentinel announces a failover in its turn, and one cut is enough.
 */
export function decide(situation: Situation): Decision {
  const { named, held, pending, moving, finding, isSame } = situation
  if (!named || finding) return 'none'
  const target = held ?? pending
  if (target && isSame(target, named)) {
    return held && held.source !== 'sentinel' ? 'source' : 'none'
  }
  if (situation.wasRefused(named)) return 'probe'
  return moving && isSame(moving, named) ? 'none' : 'move'
}
