import { spawnSync } from 'node:child_process'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CircuitBreakerOptions } from '../../../src/policies/breaker/breaker-options.ts'
import { Circuit } from '../../../src/policies/breaker/circuit.ts'
import { loadOpossum } from '../../../src/policies/breaker/engine.ts'
import { resolveBreakerOptions } from '../../../src/policies/breaker/resolve-options.ts'
import { runUnderCircuit } from '../../../src/policies/breaker/run-under-circuit.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { REFUSED } from './fixture.ts'

beforeAll(loadOpossum)
afterEach(() => void vi.useRealTimers())

function aCircuit(options: CircuitBreakerOptions = {}) {
  const clock = new FakeClock(1_000_000)
  const circuit = new Circuit(resolveBreakerOptions({ clock, random: () => 1, ...options }))
  const run = (...ends: (0 | 1)[]) =>
    Promise.allSettled(
      ends.map((isWell) => runUnderCircuit(circuit, () => (isWell ? 1 : Promise.reject(REFUSED)))),
    )
  return { circuit, clock, run, opossum: circuit.engine.opossum }
}

describe('opossum behind a breaker', () => {
  it('holds its state and emits its events', async () => {
    vi.useFakeTimers()
    const { circuit, clock, run, opossum } = aCircuit({
      window: { type: 'consecutive', failures: 2 },
      openFor: '1s',
    })
    const told: string[] = []
    for (const name of ['open', 'halfOpen', 'close'] as const) {
      opossum?.on(name as 'open', () => told.push(name))
    }
    await run(0, 0)
    expect(opossum?.opened).toBe(true)
    vi.advanceTimersByTime(1000)
    expect(opossum?.halfOpen).toBe(true)
    vi.useRealTimers()
    await clock.advance('1s')
    await run(0)
    expect([circuit.state, opossum?.opened]).toEqual(['open', true])
    circuit.reset()
    expect(opossum?.closed).toBe(true)
    expect(told).toEqual(['open', 'halfOpen', 'open', 'close'])
  })

  it('starts its timer anew when a probe has failed before that timer was due', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { clock, run, opossum } = aCircuit({
      window: { type: 'consecutive', failures: 1 },
      openFor: (n) => n * 1000,
    })
    await run(0)
    await clock.advance('1s')
    await run(0)
    vi.advanceTimersByTime(1999)
    expect(opossum?.opened).toBe(true)
    vi.advanceTimersByTime(1)
    expect(opossum?.halfOpen).toBe(true)
  })

  it('is told no outcome while it is open or half-open, and counts anew when closed', async () => {
    const { clock, run, opossum } = aCircuit({ openFor: '1s', halfOpen: { probes: 2 } })
    await run(...Array.from({ length: 12 }, () => 0 as const))
    expect(opossum?.stats).toMatchObject({ failures: 10, successes: 0, rejects: 0 })
    await clock.advance('1s')
    await run(1)
    expect(opossum?.opened).toBe(true)
    await run(1)
    expect(opossum?.closed).toBe(true)
    expect(opossum?.stats).toMatchObject({ failures: 0, successes: 0 })
  })

  it('turns its buckets by our clock', async () => {
    const { clock, run, opossum } = aCircuit()
    await run(1, 1)
    await clock.advance('5s')
    await run(0)
    expect(opossum?.stats).toMatchObject({ successes: 2, failures: 1 })
    await clock.advance('5s')
    await run(1)
    expect(opossum?.stats).toMatchObject({ successes: 1, failures: 1 })
  })
})

/** Runs a program that finds opossum not loaded yet. */
function run(program: string): unknown {
  const path = (name: string) =>
    JSON.stringify(new URL(`../../../src/policies/breaker/${name}.ts`, import.meta.url).href)
  const code = `
    import { Circuit } from ${path('circuit')}
    import { loadOpossum } from ${path('engine')}
    import { circuitBreaker } from ${path('circuit-breaker')}
    import { resolveBreakerOptions } from ${path('resolve-options')}
    const seen = []
    ${program}
    console.log(JSON.stringify(seen))`
  const args = ['--input-type=module', '--eval', code]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    timeout: 10_000,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

describe('before opossum is loaded', () => {
  it('all works already, and it takes over what was counted', () => {
    const seen = run(`
      const circuit = new Circuit(resolveBreakerOptions({ minimumCalls: 4, openFor: '1h' }))
      const end = (outcome) => circuit.admit().ended(outcome)
      end({ value: 1 }); end({ error: 1 })
      seen.push(circuit.engine.opossum === undefined)
      await loadOpossum(); await null
      const { opossum } = circuit.engine
      seen.push(opossum.stats.successes, opossum.stats.failures)
      end({ value: 1 }); end({ error: 1 })
      seen.push(circuit.state, opossum.opened)
      seen.push(opossum.status.window.every(({ latencyTimes }) => latencyTimes.length === 0))`)
    expect(seen).toEqual([true, 1, 1, 'open', true, true])
  })

  it('it may open already', () => {
    const seen = run(`
      const circuit = new Circuit(resolveBreakerOptions({ window: { type: 'count', size: 2 } }))
      for (let i = 0; i < 2; i++) circuit.admit().ended({ error: 1 })
      seen.push(circuit.state)
      await loadOpossum(); await null
      seen.push(circuit.engine.opossum.opened)`)
    expect(seen).toEqual(['open', true])
  })
})

describe('a process', () => {
  it('is not kept alive by breakers, closed, open or half-open', () => {
    const seen = run(`
      await loadOpossum()
      const once = { window: { type: 'consecutive', failures: 1 } }
      circuitBreaker().admit()
      circuitBreaker({ ...once, openFor: '1h' }).admit().ended({ error: 1 })
      const breaker = circuitBreaker({ ...once, openFor: 0 })
      breaker.admit().ended({ error: 1 })
      breaker.admit()
      seen.push(breaker.state)`)
    expect(seen).toEqual(['half-open'])
  })
})

describe('opossum when its breaker is forgotten', () => {
  it('is not made any more, and counting goes on', () => {
    const seen = run(`
      const circuit = new Circuit(resolveBreakerOptions({ minimumCalls: 2 }))
      circuit.admit().ended({ error: 1 })
      circuit.engine.retire()
      await loadOpossum(); await null
      seen.push(circuit.engine.opossum === undefined)
      circuit.admit().ended({ error: 1 })
      seen.push(circuit.state)`)
    expect(seen).toEqual([true, 'open'])
  })
})
