import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import { createPrefixGate } from '../../../src/llm/gate/prefix-gate.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const MAX_WAIT = 50
const WARM_FOR = 40

const scripts = fc.array(
  fc.record({
    arrivesAfter: fc.integer({ min: 0, max: 30 }),
    prefix: fc.constantFrom('p', 'q'),
    firstByteAfter: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
    endsAfter: fc.integer({ min: 0, max: 90 }),
    fails: fc.boolean(),
    abortAfter: fc.option(fc.integer({ min: 0, max: 120 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 14 },
)
type Script = typeof scripts extends fc.Arbitrary<(infer S)[]> ? S : never

interface Run {
  readonly script: Script
  readonly arrivedAt: number
  readonly signal: AbortSignal
  begunAt: number | undefined
  begins: number
  /** Between its beginning and the moment that shows whether it has written the prefix. */
  isWriting: boolean
  outcome: 'pending' | 'answered' | 'failed' | 'aborted'
}

/** Plays a script, and checks at each beginning who else is writing the same prefix. */
async function play(script: readonly Script[], commitLag: number): Promise<readonly Run[]> {
  const clock = new FakeClock()
  const gate = createPrefixGate({ clock, maxWait: MAX_WAIT, commitLag, warmFor: WARM_FOR })
  const runs: Run[] = []
  const wait = (ms: number) => new Promise<void>((done) => clock.setTimeout(done, ms))

  const start = (one: Script) => {
    const controller = new AbortController()
    const run: Run = {
      script: one,
      arrivedAt: clock.now(),
      signal: controller.signal,
      begunAt: undefined,
      begins: 0,
      isWriting: false,
      outcome: 'pending',
    }
    runs.push(run)
    if (one.abortAfter !== undefined) {
      clock.setTimeout(() => {
        run.isWriting = false
        controller.abort()
      }, one.abortAfter)
    }
    const task = async (onFirstByte: () => void) => {
      const isReader = canRead(run)
      if (!isReader) checkAlone(run)
      run.begins++
      run.begunAt = clock.now()
      run.isWriting = !isReader
      await wait(Math.min(one.firstByteAfter ?? one.endsAfter, one.endsAfter))
      if (one.firstByteAfter !== undefined && one.firstByteAfter <= one.endsAfter) {
        run.isWriting = false
        write(run)
        onFirstByte()
        await wait(one.endsAfter - one.firstByteAfter)
      }
      run.isWriting = false
      if (one.fails) throw new Error('failed')
      if (one.firstByteAfter === undefined || one.firstByteAfter > one.endsAfter) write(run)
      return 'answer'
    }
    gate.run(one.prefix, task, { signal: run.signal }).then(
      () => {
        run.outcome = 'answered'
      },
      (error: unknown) => {
        run.outcome = isResilienceError(error, 'ERR_ABORTED') ? 'aborted' : 'failed'
      },
    )
  }
  const written = new Map<string, { at: number; until: number }>()
  const write = ({ script: { prefix }, begunAt }: Run) => {
    const before = written.get(prefix)?.until ?? 0
    const until = Math.max(before, (begunAt as number) + WARM_FOR)
    written.set(prefix, { at: clock.now(), until })
  }
  const canRead = ({ script: { prefix } }: Run) => {
    const { at, until } = written.get(prefix) ?? { at: Number.NEGATIVE_INFINITY, until: 0 }
    return clock.now() < until || clock.now() - at <= commitLag
  }
  /** Noted, as an error in a task would only be one more failure of a call. */
  const violations: string[] = []
  const checkAlone = ({ script: { prefix }, arrivedAt }: Run) => {
    if (clock.now() - arrivedAt >= MAX_WAIT) return
    const others = runs.filter((other) => other.isWriting && other.script.prefix === prefix)
    if (!others.every(wentForItself)) violations.push(`two lead '${prefix}' at ${clock.now()}`)
  }
  const wentForItself = (run: Run) =>
    run.begunAt !== undefined && run.begunAt - run.arrivedAt >= MAX_WAIT

  for (const one of script) {
    await clock.advance(one.arrivesAfter)
    start(one)
  }
  await clock.advance(1000)
  expect(violations).toEqual([])
  expect(clock.pending, 'timers left behind').toBe(0)
  return runs
}

describe('a prefix gate under any arrivals, failures and aborts', () => {
  it('never lets two lead, nobody waits beyond maxWait, and all run once', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, fc.constantFrom(0, 10), async (script, commitLag) => {
        const runs = await play(script, commitLag)
        for (const run of runs) {
          expect(run.outcome).not.toBe('pending')
          expect(run.begins).toBe(run.outcome === 'aborted' && run.begins === 0 ? 0 : 1)
          if (run.begins === 0) expect(run.script.abortAfter).toBeLessThanOrEqual(MAX_WAIT)
          const waitedMs = (run.begunAt ?? run.arrivedAt) - run.arrivedAt
          expect(waitedMs).toBeLessThanOrEqual(MAX_WAIT)
        }
      }),
      { numRuns: 150 },
    )
  })
})
