import { describe, expect, it } from 'vitest'
import { progress } from '../../examples/demo/report/progress.ts'
import type { DemoResult, PhaseResult } from '../../examples/demo/report/result.ts'
import { textReport } from '../../examples/demo/report/text-report.ts'

const without: PhaseResult = {
  name: '1 without',
  requests: 100,
  failed: 6,
  upstreamCalls: { tax: 100, partners: 200, llm: 100 },
  upstreamFailures: 6,
  latencyMs: { p50: 100, p95: 150, p99: 200 },
  hitRate: { l1: 0, l2: 0 },
  staleServed: 0,
  usd: 10,
}
const cold: PhaseResult = {
  ...without,
  name: '2 with it',
  failed: 1,
  upstreamCalls: { tax: 20, partners: 10, llm: 20 },
  latencyMs: { p50: 2, p95: 120, p99: 150 },
  hitRate: { l1: 0.8, l2: 0 },
  staleServed: 7,
  usd: 2,
}
const restarted: PhaseResult = { ...cold, name: '3 restarted', usd: 0 }
const result: DemoResult = {
  seed: '1',
  requests: 100,
  concurrency: 5,
  documents: 20,
  durationMs: 1_000,
  identical: true,
  checkedAnswers: 271,
  phases: [without, cold, restarted],
}

describe('the report', () => {
  it('says in plain sentences what changed', () => {
    const text = textReport(result)
    expect(text).toContain('The same 100 requests cost $2.00 instead of $10.00 (-80 %)')
    expect(text).toContain('at most 2.0 ms instead of 100.0 ms (-98 %)')
    expect(text).toContain('called 50 times instead of 400 (-87 %); failed answers: 1 instead of 6')
    expect(text).toContain('Answers identical: yes (271 compared')
  })

  it('does not hide that things became worse, or that answers differ', () => {
    const worse = { ...result, identical: false, phases: [cold, without, restarted] as const }
    expect(textReport(worse)).toContain('cost $10.00 instead of $2.00 (+400 %)')
    expect(textReport(worse)).toContain('Answers identical: NO')
  })

  it('fits a line of 100 columns, with the columns aligned', () => {
    const table = textReport(result).split('\n').slice(1, 6)
    expect(new Set(table.map((line) => line.length)).size).toBe(1)
    expect(table[0]?.length).toBeLessThanOrEqual(100)
  })
})

describe('the progress', () => {
  function lines(isTTY: boolean): string {
    let written = ''
    const write = (text: unknown) => {
      written += text
      return true
    }
    const line = progress({ isTTY, write }, 'phase', 2)
    line.answered(false)
    line.answered(true)
    line.done()
    return written
  }

  it('rewrites one line on a terminal', () => {
    expect(lines(true)).toMatch(/^\r.\[Kphase: 2\/2 requests, \d+\/s, 1 failed\n$/)
  })

  it('writes whole lines elsewhere', () => {
    expect(lines(false)).toMatch(/^phase: 2\/2 requests, \d+\/s, 1 failed\n$/)
  })
})
