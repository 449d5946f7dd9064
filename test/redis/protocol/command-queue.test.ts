import { describe, expect, it } from 'vitest'
import { CommandQueue } from '../../../src/adapters/redis/command-queue.ts'
import { DELETE, READ, WRITE } from '../../../src/adapters/redis/scripts.ts'
import type { Reply } from '../../../src/adapters/redis/transport.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { bytes, names, ScriptedTransport } from './scripted-transport.ts'

function make(): { transport: ScriptedTransport; queue: CommandQueue; clock: FakeClock } {
  const transport = new ScriptedTransport()
  const clock = new FakeClock()
  return { transport, clock, queue: new CommandQueue(transport, clock, 50) }
}

/** Sends that are answered when the test says so. */
function held(transport: ScriptedTransport): (() => void)[] {
  const answers: (() => void)[] = []
  transport.send = (node, commands) => {
    transport.sent.push({ node, commands })
    return new Promise((resolve) => {
      answers.push(() => resolve(commands.map((): Reply => bytes('OK'))))
    })
  }
  return answers
}

describe('the command queue', () => {
  it('sends all commands of one turn to one node at once, in their order', async () => {
    const { transport, queue } = make()
    const replies = await Promise.all([
      queue.run('a', ['GET', 'x']),
      queue.script('a', WRITE, ['k'], ['1'], 'digest'),
      queue.run('b', ['TIME']),
      queue.run('a', ['TIME']),
    ])
    expect(replies).toHaveLength(4)
    expect(transport.sent.map(({ node, commands }) => [node, names(commands)])).toEqual([
      ['a', ['GET', 'EVALSHA', 'TIME']],
      ['b', ['TIME']],
    ])
    expect(transport.sent[0]?.commands[1]).toEqual(['EVALSHA', WRITE.sha, 1, 'k', '1'])
  })

  it('sends a script in full that the server does not know, and only that again', async () => {
    const { transport, queue } = make()
    transport.answer = ([name, what]) =>
      name === 'EVALSHA' && what === WRITE.sha
        ? new Error('NOSCRIPT No matching script. Please use EVAL.')
        : undefined
    const [write, read] = await Promise.all([
      queue.script('a', WRITE, ['k'], ['1'], 'digest'),
      queue.script('a', READ, ['q'], [1, 0, 0, '', '', 0, 0], 'digest'),
      queue.run('a', ['TIME']),
    ])
    expect(write).toEqual([bytes('11')])
    expect(read).toHaveLength(3)
    expect(transport.sent.map(({ commands }) => names(commands))).toEqual([
      ['EVALSHA', 'EVALSHA', 'TIME'],
      ['EVAL'],
    ])
    expect(transport.sent[1]?.commands[0]).toEqual(['EVAL', WRITE.source, 1, 'k', '1'])
  })

  it('sends a script in full at once where it must not lose its turn', async () => {
    const { transport, queue } = make()
    await Promise.all([
      queue.script('a', WRITE, ['k'], ['1'], 'source'),
      queue.script('a', DELETE, ['k'], ['1'], 'digest'),
    ])
    expect(transport.sent.map(({ commands }) => names(commands))).toEqual([['EVAL', 'EVALSHA']])
  })

  it('asks only once more: a server that has no script even then has its error passed on', async () => {
    const { transport, queue } = make()
    transport.answer = () => new Error('NOSCRIPT No matching script.')
    await expect(queue.script('a', WRITE, [], [], 'digest')).rejects.toThrow('NOSCRIPT')
    expect(transport.sent).toHaveLength(2)
  })

  it('fails the one command that Redis refused, with what Redis said', async () => {
    const { transport, queue } = make()
    const oom = new Error('OOM command not allowed when used memory > maxmemory.')
    transport.answer = ([name]) => (name === 'SET' ? oom : undefined)
    const [set, time] = await Promise.allSettled([
      queue.run('a', ['SET', 'k', 'v']),
      queue.run('a', ['TIME']),
    ])
    expect(set).toEqual({ status: 'rejected', reason: oom })
    expect(time.status).toBe('fulfilled')
  })

  it('fails all commands of a pipeline that was lost, and goes on with the next', async () => {
    const { transport, queue } = make()
    transport.fail = () => new Error('connection lost')
    const lost = await Promise.allSettled([queue.run('a', ['TIME']), queue.run('a', ['TIME'])])
    expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    transport.fail = () => undefined
    await expect(queue.run('a', ['TIME'])).resolves.toHaveLength(2)
  })

  it('has four pipelines on their way to a node, and fills the fifth meanwhile', async () => {
    const { transport, queue, clock } = make()
    const answers = held(transport)
    const results: Promise<unknown>[] = []
    for (let at = 0; at < 7; at++) {
      results.push(queue.run('a', ['GET', at]))
      await clock.advance(0)
    }
    expect(transport.sent).toHaveLength(4)
    void queue.run('b', ['TIME'])
    await clock.advance(0)
    expect(transport.sent.at(-1)?.node).toBe('b')
    answers[0]?.()
    await clock.advance(0)
    expect(transport.sent.at(-1)?.commands).toEqual([
      ['GET', 4],
      ['GET', 5],
      ['GET', 6],
    ])
    for (const answer of answers) answer()
    await clock.advance(0)
    for (const answer of answers) answer()
    await expect(Promise.all(results)).resolves.toHaveLength(7)
  })

  it('gives up what has waited longer than an operation may take', async () => {
    const { transport, queue, clock } = make()
    const answers = held(transport)
    for (let at = 0; at < 4; at++) {
      void queue.run('a', ['GET', at])
      await clock.advance(0)
    }
    const late = expect(queue.run('a', ['GET', 'late'])).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
    })
    await clock.advance(51)
    void queue.run('a', ['GET', 'in time'])
    answers[0]?.()
    await clock.advance(0)
    await late
    expect(transport.sent.at(-1)?.commands).toEqual([['GET', 'in time']])
  })

  it('gives it up though the server never answers, and keeps no timer when nothing waits', async () => {
    const { transport, queue, clock } = make()
    held(transport)
    for (let at = 0; at < 4; at++) {
      void queue.run('a', ['GET', at])
      await clock.advance(0)
    }
    expect(clock.pending).toBe(0)
    const results: Promise<unknown>[] = []
    for (let at = 0; at < 3; at++) {
      results.push(queue.run('a', ['GET', 'late']).catch((error) => error.code))
      await clock.advance(20)
    }
    await clock.advance(60)
    expect(await Promise.all(results)).toEqual(['ERR_TIMEOUT', 'ERR_TIMEOUT', 'ERR_TIMEOUT'])
    expect(clock.pending).toBe(0)
    expect(transport.sent).toHaveLength(4)
  })
})
