import type { LlmCallReport, LlmLoad } from '../../../src/contracts/llm-layer.ts'
import type { Plan, PrefixPlanner } from '../../../src/llm/planner/plan.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

/** A model of the built-in table. */
export const MODEL = 'claude-sonnet-5'

export function request(text = 'hello', more: object = {}) {
  return { model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: text }], ...more }
}

export function answer(more: object = {}, usage: object = {}) {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: MODEL,
    content: [{ type: 'text', text: 'hi' }],
    stop_reason: 'end_turn',
    usage: {
      input_tokens: 100,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 10,
      ...usage,
    },
    ...more,
  }
}

export interface TestLoad extends LlmLoad {
  readonly clock: FakeClock
  readonly seen: {
    skips: number
    ttls: number[]
    expired: (readonly string[])[]
    reports: LlmCallReport[]
  }
}

const unaborted = new AbortController().signal

/** A load that writes down what the layer does with it. */
export function testLoad(clock = new FakeClock(), signal: LlmLoad['signal'] = unaborted): TestLoad {
  const seen: TestLoad['seen'] = { skips: 0, ttls: [], expired: [], reports: [] }
  return {
    clock,
    signal,
    seen,
    skip: () => void seen.skips++,
    setTtl: (ms) => void seen.ttls.push(ms),
    expire: (tags) => void seen.expired.push(tags),
    report: (report) => void seen.reports.push(report),
  }
}

/** A planner that marks each request, and does nothing else. */
export function stubPlanner(more: Partial<Plan<unknown>> = {}) {
  const observed: Parameters<PrefixPlanner['observe']>[] = []
  const planned: Parameters<PrefixPlanner['plan']>[0][] = []
  const planner = {
    plan(input: { request: object }) {
      planned.push(input as never)
      return {
        request: { ...input.request, isPlanned: true },
        breakpoints: [],
        expected: { read: 0, write5m: 0, write1h: 0, input: 0, cost: 0, baseline: 0 },
        warnings: [],
        prefixId: 'prefix',
        tailId: 'tail',
        prefixTokens: 5000,
        prefixIsWarm: false,
        ...more,
      }
    },
    observe: (...args: Parameters<PrefixPlanner['observe']>) => void observed.push(args),
    explain: (route?: string) => ({ route }),
  } as unknown as PrefixPlanner
  return { planner, planned, observed }
}

/** A provider that answers, and remembers what it was sent. */
export function recorder() {
  let last: readonly unknown[] = []
  const send = (args: readonly unknown[]) => {
    last = args
    return answer()
  }
  return { send, sent: () => last }
}
