import { describe, expect, it } from 'vitest'
import {
  createPrefixGate,
  type GateCall,
  type PrefixGateOptions,
} from '../../../src/llm/gate/prefix-gate.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

/** A gate, and calls through it whose answers the test holds in its hand. */
function world(options: PrefixGateOptions = {}) {
  const clock = new FakeClock(1000)
  const gate = createPrefixGate({ clock, ...options })
  const begun: string[] = []
  const call = (name: string, how: GateCall = {}, prefixId = 'p') => {
    let firstByte = (): void => {}
    let end: (value: string) => void = () => {}
    let fail: (error: Error) => void = () => {}
    const done = gate.run(
      prefixId,
      (onFirstByte) => {
        begun.push(name)
        firstByte = onFirstByte
        return new Promise<string>((resolve, reject) => {
          end = resolve
          fail = reject
        })
      },
      how,
    )
    done.catch(() => {})
    return {
      done,
      firstByte: () => firstByte(),
      end: () => end(name),
      fail: () => fail(new Error(`${name} failed`)),
    }
  }
  return { clock, gate, begun, call, settle: () => clock.advance(0) }
}

describe('the first call with a prefix', () => {
  it('leads, and the others begin with its first byte', async () => {
    const { begun, call, settle, gate, clock } = world()
    const first = call('a')
    call('b')
    call('c')
    await settle()
    expect(begun).toEqual(['a'])
    first.firstByte()
    await settle()
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(gate.stats()).toEqual({ led: 1, waited: 2, passed: 0, timedOut: 0, promoted: 0 })
    expect(clock.pending).toBe(0)
  })

  it('lets the others begin with its end where it tells of no first byte', async () => {
    const { begun, call, settle } = world()
    const first = call('a')
    call('b')
    first.end()
    await settle()
    expect(begun).toEqual(['a', 'b'])
    await expect(first.done).resolves.toBe('a')
  })

  it('waits with the others for commitLag after its first byte', async () => {
    const { begun, call, clock, settle } = world({ commitLag: '200ms' })
    const first = call('a')
    call('b')
    first.firstByte()
    await clock.advance(150)
    call('late')
    await clock.advance(49)
    expect(begun).toEqual(['a'])
    await clock.advance(1)
    expect(begun).toEqual(['a', 'b', 'late'])
    call('later')
    await settle()
    expect(begun).toHaveLength(4)
    expect(clock.pending).toBe(0)
  })

  it('holds up no call with another prefix', async () => {
    const { begun, call, settle } = world()
    call('a')
    call('b', {}, 'q')
    await settle()
    expect(begun).toEqual(['a', 'b'])
  })
})

describe('a leader that brings nothing', () => {
  it('is replaced by exactly one, the one that has waited longest', async () => {
    const { begun, call, settle, gate } = world()
    const first = call('a')
    const second = call('b')
    call('c')
    first.fail()
    await expect(first.done).rejects.toThrow('a failed')
    await settle()
    expect(begun).toEqual(['a', 'b'])
    second.firstByte()
    await settle()
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(gate.stats()).toMatchObject({ led: 2, promoted: 1, waited: 2 })
  })

  it('has written the prefix all the same when it fails after its first byte', async () => {
    const { begun, call, settle, gate } = world()
    const first = call('a')
    call('b')
    first.firstByte()
    first.fail()
    await settle()
    expect(begun).toEqual(['a', 'b'])
    call('c')
    await settle()
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(gate.stats()).toMatchObject({ led: 1, promoted: 0 })
  })

  it('is replaced as soon as its signal is aborted, even if its task goes on', async () => {
    const { begun, call, settle } = world()
    const controller = new AbortController()
    call('a', { signal: controller.signal })
    call('b')
    controller.abort()
    await settle()
    expect(begun).toEqual(['a', 'b'])
  })

  it('may throw at once', async () => {
    const { begun, call, settle, gate } = world()
    const first = gate.run('p', () => {
      throw new Error('at once')
    })
    call('b')
    await expect(first).rejects.toThrow('at once')
    await settle()
    expect(begun).toEqual(['b'])
  })

  it('leaves the next one to lead when nobody waited', async () => {
    const { call, settle, gate } = world()
    const first = call('a')
    first.fail()
    await settle()
    call('b')
    await settle()
    expect(gate.stats()).toMatchObject({ led: 2, waited: 0, promoted: 0 })
  })
})

describe('waiting', () => {
  it('ends after maxWait, for each counted from its own call', async () => {
    const { begun, call, clock, gate } = world({ maxWait: '1s' })
    call('a')
    await clock.advance(400)
    call('b')
    call('c', { maxWait: '2s' })
    await clock.advance(999)
    expect(begun).toEqual(['a'])
    await clock.advance(1)
    expect(begun).toEqual(['a', 'b'])
    await clock.advance(1000)
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(gate.stats()).toMatchObject({ timedOut: 2, led: 1 })
    expect(clock.pending).toBe(0)
  })

  it('ends for all with the first byte of one that had waited too long', async () => {
    const { begun, call, clock, settle } = world({ maxWait: '1s' })
    call('a')
    const second = call('b')
    await clock.advance(900)
    call('c')
    await clock.advance(100)
    expect(begun).toEqual(['a', 'b'])
    second.firstByte()
    await settle()
    expect(begun).toEqual(['a', 'b', 'c'])
  })

  it('ends with the signal of the one that waits, and only for that one', async () => {
    const { begun, call, clock, settle } = world()
    const controller = new AbortController()
    const first = call('a')
    const second = call('b', { signal: controller.signal })
    call('c')
    controller.abort(new Error('left'))
    await expect(second.done).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: controller.signal.reason,
    })
    first.firstByte()
    await settle()
    expect(begun).toEqual(['a', 'c'])
    expect(clock.pending).toBe(0)
  })

  it('passes the lead on when the one that was promoted is aborted at the same moment', async () => {
    const { begun, call, settle } = world()
    const leader = new AbortController()
    const follower = new AbortController()
    call('a', { signal: leader.signal })
    call('b', { signal: follower.signal })
    call('c')
    leader.abort()
    follower.abort()
    await settle()
    expect(begun).toEqual(['a', 'c'])
  })

  it('is refused to a call that is aborted already', async () => {
    const { begun, call } = world()
    await expect(call('a', { signal: AbortSignal.abort() }).done).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(begun).toEqual([])
  })

  it('leaves no listener at a signal that lives on', async () => {
    const { call, settle } = world()
    const { signal } = new AbortController()
    const listening = new Set<unknown>()
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (type: string, listener: never) => {
      listening.add(listener)
      addEventListener.call(signal, type, listener)
    }
    signal.removeEventListener = (type: string, listener: never) => {
      listening.delete(listener)
      removeEventListener.call(signal, type, listener)
    }
    const first = call('a', { signal })
    const second = call('b', { signal })
    await settle()
    expect(listening.size).toBe(2)
    first.end()
    await settle()
    second.end()
    await settle()
    expect(listening.size).toBe(0)
  })
})

describe('calls that pass at once', () => {
  it('are those whose prefix was written lately, counted from the start of its request', async () => {
    const { begun, call, clock, gate } = world({ warmFor: '10s' })
    const first = call('a')
    await clock.advance('4s')
    first.firstByte()
    await clock.advance('5s')
    // A read keeps it warm, as it does at the provider.
    call('b').end()
    await clock.advance('9s')
    call('c')
    await clock.advance('1s')
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(gate.stats()).toMatchObject({ led: 1, passed: 2 })
    call('d')
    call('e')
    await clock.advance(0)
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
    expect(gate.stats()).toMatchObject({ led: 2, waited: 1 })
  })

  it('are those that know it to be warm, and those with a small prefix', async () => {
    const { begun, call, settle, gate } = world({ minTokens: 500 })
    call('a')
    call('b', { isWarm: true })
    call('c', { tokens: 499 })
    call('d', { tokens: 500 })
    await settle()
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(gate.stats()).toMatchObject({ led: 1, passed: 2, waited: 1 })
  })

  it('lead again after an answer that took longer than a prefix stays warm', async () => {
    const { begun, call, clock, settle } = world({ warmFor: '1s', commitLag: 10, maxWait: '1h' })
    const first = call('a')
    call('b')
    await clock.advance('2s')
    first.firstByte()
    call('c')
    await settle()
    expect(begun).toEqual(['a', 'c'])
    await clock.advance(10)
    expect(begun).toEqual(['a', 'c', 'b'])
  })
})

describe('options of createPrefixGate', () => {
  it('are checked', () => {
    expect(() => createPrefixGate({ maxwait: 1 } as never)).toThrow(
      "unknown option of createPrefixGate(): 'maxwait'; did you mean 'maxWait'?",
    )
    expect(() => createPrefixGate({ maxWait: 'soon' as never })).toThrow(
      'maxWait must be a duration',
    )
    expect(() => createPrefixGate({ minTokens: -1 })).toThrow('minTokens must be a number from 0')
  })

  it('of a call are checked too', async () => {
    const gate = createPrefixGate()
    await expect(gate.run('p', () => 1, { token: 1 } as never)).rejects.toThrow(
      "unknown option of run() of a prefix gate: 'token'; did you mean 'tokens'?",
    )
    await expect(gate.run(undefined as never, () => 1)).rejects.toThrow('takes a prefixId')
    await expect(gate.run('p', undefined as never)).rejects.toThrow('must be a function')
  })
})
