import type { Endpoint } from './discovery.ts'
import { Ballot, type SentinelAnswer, type Verdict } from './sentinel-ballot.ts'

export interface PollListener {
  onAnswer(sentinel: Endpoint, answer: SentinelAnswer): void
  onFailure(sentinel: Endpoint, error: unknown): void
  /** All have answered or failed, which may be long after the verdict. */
  onComplete?(verdict: Verdict): void
}

/**
 * Asks all sentinels at the same time. The verdict is there as soon as a majority agrees, so that
 * those which are slow or dead delay nobody; else when the last one has answered or failed.
 */
export function pollSentinels(
  sentinels: readonly Endpoint[],
  ask: (sentinel: Endpoint) => Promise<SentinelAnswer>,
  listener: PollListener,
): Promise<Verdict> {
  const ballot = new Ballot(sentinels.length)
  return new Promise((resolve) => {
    const counted = () => {
      const { verdict } = ballot
      if (verdict.majority || ballot.complete) resolve(verdict)
      if (ballot.complete) listener.onComplete?.(verdict)
    }
    for (const sentinel of sentinels) {
      ask(sentinel).then(
        (answer) => {
          ballot.answered(answer)
          listener.onAnswer(sentinel, answer)
          counted()
        },
        (error: unknown) => {
          ballot.failed()
          listener.onFailure(sentinel, error)
          counted()
        },
      )
    }
  })
}
