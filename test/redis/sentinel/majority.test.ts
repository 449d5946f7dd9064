import { describe, expect, it } from 'vitest'
import { Ballot, type SentinelAnswer } from '../../../src/adapters/redis/ioredis/sentinel-ballot.ts'
import { decide, type Situation } from '../../../src/adapters/redis/ioredis/sentinel-decision.ts'
import { pollSentinels } from '../../../src/adapters/redis/ioredis/sentinel-poll.ts'
import { at } from './fake-network.ts'

const A = at('a')
const B = at('b')

function ballotOf(voters: number, ...votes: (typeof A | 'failed' | 'unknown')[]) {
  const ballot = new Ballot(voters)
  for (const vote of votes) {
    if (vote === 'failed') ballot.failed()
    else ballot.answered(vote === 'unknown' ? {} : { address: vote as typeof A })
  }
  return ballot
}

describe('the votes of the sentinels', () => {
  it.each([
    { voters: 3, votes: [A, A], majority: A },
    { voters: 3, votes: [A, B, B], majority: B },
    { voters: 3, votes: [A], majority: undefined },
    { voters: 3, votes: [A, 'failed', 'failed'], majority: undefined },
    { voters: 2, votes: [A, B], majority: undefined },
    { voters: 4, votes: [A, A, B, B], majority: undefined },
    { voters: 4, votes: [A, A, 'failed'], majority: undefined },
    { voters: 5, votes: [A, A, A], majority: A },
    { voters: 1, votes: [A], majority: A },
    { voters: 3, votes: ['unknown', 'unknown', A], majority: undefined },
  ] as const)('of $voters: $votes', ({ voters, votes, majority }) => {
    expect(ballotOf(voters, ...votes).verdict.majority).toEqual(majority)
  })

  it('are ranked where there is no majority', () => {
    const { verdict } = ballotOf(5, A, B, B, 'failed', 'failed')
    expect(verdict).toMatchObject({ named: [B, A], answers: 3, unknown: 0 })
  })
})

describe('a round of questions', () => {
  const sentinels = [at('s1'), at('s2'), at('s3')]
  const quiet = { onAnswer: () => {}, onFailure: () => {} }

  it('ends as soon as a majority agrees, whatever the others do', async () => {
    const never = new Promise<SentinelAnswer>(() => {})
    const ask = ({ host }: typeof A) => (host === 's1' ? never : Promise.resolve({ address: A }))
    expect((await pollSentinels(sentinels, ask, quiet)).majority).toEqual(A)
  })

  it('waits for the last answer while there is no majority', async () => {
    const answers = new Map(
      sentinels.map(({ host }) => [host, Promise.withResolvers<SentinelAnswer>()]),
    )
    const ask = ({ host }: typeof A) => answers.get(host)?.promise as Promise<SentinelAnswer>
    const settled: unknown[] = []
    const poll = pollSentinels(sentinels, ask, quiet).then((verdict) => settled.push(verdict))
    answers.get('s1')?.resolve({ address: A })
    answers.get('s2')?.resolve({ address: B })
    await new Promise(setImmediate)
    expect(settled).toEqual([])
    answers.get('s3')?.resolve({ address: B })
    await poll
    expect(settled).toMatchObject([{ majority: B }])
  })

  it('survives when all fail', async () => {
    const failures: unknown[] = []
    const verdict = await pollSentinels(sentinels, () => Promise.reject(new Error('no')), {
      ...quiet,
      onFailure: (_, error) => failures.push(error),
    })
    expect(verdict).toMatchObject({ named: [], answers: 0 })
    expect(failures).toHaveLength(3)
  })
})

describe('what follows from what the majority names', () => {
  const held = { ...A, source: 'sentinel' } as const
  const situation = (given: Partial<Situation>): Situation => ({
    named: A,
    held: undefined,
    pending: undefined,
    moving: undefined,
    finding: false,
    isSame: (a, b) => a.host === b.host,
    wasRefused: () => false,
    ...given,
  })

  it.each<[string, Partial<Situation>, string]>([
    ['there is no majority', { named: undefined, held }, 'none'],
    ['it is the one in use', { held }, 'none'],
    ['it is the one in use, found otherwise', { held: { ...A, source: 'standalone' } }, 'source'],
    ['it is another', { held: { ...B, source: 'sentinel' } }, 'move'],
    ['it is another, and that was said', { held: { ...B, source: 'sentinel' }, moving: A }, 'none'],
    ['it is being connected to', { pending: held }, 'none'],
    ['another is being connected to', { pending: { ...B, source: 'last-known' } }, 'move'],
    ['it was refused', { wasRefused: () => true }, 'probe'],
    [
      'it was refused, another is used',
      { held: { ...B, source: 'standalone' }, wasRefused: () => true },
      'probe',
    ],
    ['the connection is asking by itself', { finding: true }, 'none'],
    ['nothing is in use', {}, 'move'],
  ])('%s', (_, given, decision) => {
    expect(decide(situation(given))).toBe(decision)
  })
})
