import type { StoreContext, StoreSession } from '../../contracts/store.ts'
import { readHeader, writeAround } from '../../envelope/header.ts'
import type { ScriptFlaw } from './script-call.ts'

/** Something left out of the protocol on purpose: a simulation that does not notice is worth nothing. */
export type MutantName =
  | 'stamps-after-origin'
  | 'no-lease-check'
  | 'delete-keeps-lease'
  | 'missing-stamp-valid'
  | 'no-gap-rule'
  | 'no-epoch-check'
  | 'blind-revalidation'
  | 'no-replay'

export interface Mutant {
  readonly flaw: ScriptFlaw | undefined
  /** Between the cache and its session. */
  readonly wrap: (session: StoreSession) => StoreSession
  /** Between the session and its cache. */
  readonly alter: (context: StoreContext) => StoreContext
}

const RIGHT: Mutant = { flaw: undefined, wrap: (session) => session, alter: (context) => context }

const MUTANTS: Readonly<Record<MutantName, Mutant>> = {
  'stamps-after-origin': { ...RIGHT, wrap: stampedAfterOrigin },
  'no-lease-check': { ...RIGHT, flaw: 'no-lease-check' },
  'delete-keeps-lease': { ...RIGHT, flaw: 'keeps-lease' },
  'missing-stamp-valid': { ...RIGHT, flaw: 'missing-stamp-valid' },
  'no-gap-rule': { ...RIGHT, alter: withoutGaps },
  'no-epoch-check': { ...RIGHT, flaw: 'no-epoch' },
  'blind-revalidation': { ...RIGHT, wrap: revalidatedBlindly },
  'no-replay': { ...RIGHT, alter: withoutReplay },
}

export const MUTANT_NAMES = Object.keys(MUTANTS) as readonly MutantName[]

export function mutantOf(name: MutantName | undefined): Mutant {
  return name === undefined ? RIGHT : MUTANTS[name]
}

/** The session, for a mutant to change a part of. */
function passedOn(session: StoreSession): StoreSession {
  return {
    read: (request) => session.read(request),
    write: (request) => session.write(request),
    delete: (keys) => session.delete(keys),
    stamp: (tags, mode) => session.stamp(tags, mode),
    renew: (key, token, ms) => session.renew(key, token, ms),
    release: (key, token, end) => session.release(key, token, end),
    probe: () => session.probe(),
    close: () => session.close(),
  }
}

/** A commit carries the number of its own instant instead of that before its load. */
function stampedAfterOrigin(session: StoreSession): StoreSession {
  return {
    ...passedOn(session),
    async write(request) {
      const { fence } = request
      if (!fence) return session.write(request)
      const { sequence } = await session.read({ keys: [], tags: [] })
      const bytes = restamped(request.bytes, sequence)
      return session.write({ ...request, bytes, fence: { ...fence, sequence } })
    },
  }
}

/** A copy that L2 still holds in the same version is believed, whatever was stamped. */
function revalidatedBlindly(session: StoreSession): StoreSession {
  return {
    ...passedOn(session),
    async read(request) {
      const reply = await session.read(request)
      if (!request.known) return reply
      return { ...reply, stamps: reply.stamps.map(() => ({ hard: 0, soft: 0 })) }
    },
  }
}

/** What was told is not told again to the server of another connection. */
function withoutReplay(context: StoreContext): StoreContext {
  let wasReady = false
  return {
    ...context,
    onState(state) {
      const isAgain = wasReady && state.state === 'ready'
      if (state.state === 'ready') wasReady = true
      context.onState(isAgain ? { ...state, sameConnection: true } : state)
    },
  }
}

/** The envelope with another stamp, and checksums that are right. */
function restamped(bytes: Uint8Array, sequence: number): Uint8Array {
  const copy = Buffer.from(bytes)
  const header = readHeader(copy)
  if (header) writeAround(copy, { ...header, stampSequence: sequence })
  return copy
}

/** Nobody is told that something was missed. */
function withoutGaps(context: StoreContext): StoreContext {
  return {
    ...context,
    onMessage: (message) => {
      if (message.kind !== 'lost') context.onMessage?.(message)
    },
  }
}
