import type { Clock, Timer } from '../../contracts/clock.ts'

/** How a wait ended. */
export type GateTurn = 'lead' | 'ready' | 'timed-out' | 'aborted'

/** One caller that waits for the first byte of another. */
export interface GateWaiter {
  readonly turn: Promise<GateTurn>
  /** @returns whether it takes the lead: `false` when its wait is over */
  lead(): boolean
  /** It may begin at this instant. */
  readyAt(instant: number): void
}

/** Waits until told, for `maxWaitMs`, or until `signal` is aborted. Leaves no timer and no listener. */
export function waitAtGate(
  clock: Clock,
  maxWaitMs: number,
  signal: AbortSignal | undefined,
): GateWaiter {
  const latest = clock.now() + maxWaitMs
  let isOver = false
  let timer: Timer
  let resolve: (turn: GateTurn) => void
  const turn = new Promise<GateTurn>((settle) => {
    resolve = settle
  })
  const end = (how: GateTurn): boolean => {
    if (isOver) return false
    isOver = true
    clock.clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    resolve(how)
    return true
  }
  const onAbort = () => end('aborted')
  signal?.addEventListener('abort', onAbort, { once: true })
  timer = clock.setTimeout(() => end('timed-out'), maxWaitMs)
  return {
    turn,
    lead: () => end('lead'),
    readyAt(instant) {
      const now = clock.now()
      if (isOver || instant > latest) return
      if (instant <= now) {
        end('ready')
        return
      }
      clock.clearTimeout(timer)
      timer = clock.setTimeout(() => end('ready'), instant - now)
    },
  }
}
