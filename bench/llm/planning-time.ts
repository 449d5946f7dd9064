import { createPrefixPlanner } from '../../src/llm/planner/create-prefix-planner.ts'
import { quantile } from '../harness/statistics.ts'
import { agent } from './conversations.ts'
import { Prng } from './prng.ts'
import { textBlock, toolOf } from './prompt-text.ts'
import type { TimedRequest } from './timed-request.ts'

const BLOCKS = 100

/** Microseconds of `plan()` for a request of 100 blocks. */
export interface PlanningTime {
  readonly requests: string
  readonly meanUs: number
  readonly p50Us: number
  readonly p99Us: number
}

/**
 * Agents with a tool in each step, planned from the first request to the one with 100 blocks: only that
 * one is timed. A program either keeps its conversation and adds to it, or reads all of it anew for each
 * request, as a stateless server does; then every block has to be looked at again.
 */
export function measurePlanning(conversations: number): PlanningTime[] {
  return [
    { requests: 'conversation kept', ...timesOf(conversations, (timed) => timed) },
    { requests: 'parsed anew', ...timesOf(conversations, parsedAnew) },
  ]
}

function timesOf(
  conversations: number,
  prepare: (timed: TimedRequest) => TimedRequest,
): Omit<PlanningTime, 'requests'> {
  const planner = createPrefixPlanner()
  const times: number[] = []
  // The first are for the compiler.
  const warmUp = Math.max(150, Math.ceil(conversations / 5))
  for (let index = -warmUp; index < conversations; index++) {
    const requests = conversation(index + warmUp).map(prepare)
    for (const { request, at, route } of requests) {
      const switches = timesTaken()
      const start = performance.now()
      planner.plan({ request, route, now: at })
      const us = (performance.now() - start) * 1000
      const isTimed = index >= 0 && request === requests.at(-1)?.request
      if (isTimed && timesTaken() === switches) times.push(us)
    }
  }
  const meanUs = times.reduce((sum, us) => sum + us, 0) / times.length
  return { meanUs, p50Us: quantile(times, 0.5), p99Us: quantile(times, 0.99) }
}

/** How often the system took the core away: what was timed meanwhile is not ours alone. */
function timesTaken(): number {
  return process.resourceUsage().involuntaryContextSwitches
}

/** 5 tools, a system prompt, a task; then two blocks more in each step, up to 100 in all. */
function conversation(index: number): TimedRequest[] {
  const random = new Prng(index)
  const tools = Array.from({ length: 5 }, (_, number) => toolOf(`tool_${number}`, 300, random))
  const beginning = tools.length + 2
  const setting = { route: 'agent', tools, system: [textBlock('You work', 1500, random)] }
  const requests = agent(
    setting,
    {
      name: `Agent ${index}`,
      steps: Math.ceil((BLOCKS - beginning) / 2) + 1,
      taskTokens: 200,
      toolsPerStep: 1,
      remarkTokens: 0,
      useTokens: 80,
      resultTokens: 400,
      start: index * 600_000,
      gapAfter: () => 5000,
    },
    random,
  )
  return requests
}

function parsedAnew(timed: TimedRequest): TimedRequest {
  return { ...timed, request: JSON.parse(JSON.stringify(timed.request)) }
}
