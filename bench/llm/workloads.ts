import { agent, chat, template } from './conversations.ts'
import { Prng } from './prng.ts'
import { textBlock, textOf, toolOf } from './prompt-text.ts'
import { byTime, type TimedRequest, type Workload } from './timed-request.ts'

export { randomWorkload } from './random-workload.ts'
export type { TimedRequest } from './timed-request.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/**
 * Of all seeds below 2,000 the one whose pauses and gaps come nearest to those of the published table;
 * the other workloads hardly depend on it.
 */
export const SEED = 1227

/** The workloads of the published table, in its order. */
export const workloads: readonly Workload[] = [
  { name: 'chat, 20 turns', requests: (seed) => oneChat(new Prng(seed)) },
  { name: '50 chats of 20 turns, one system', requests: (seed) => manyChats(new Prng(seed)) },
  { name: 'chat, 40 turns, pauses of 20 min', requests: (seed) => pausedChat(new Prng(seed)) },
  {
    name: 'RAG, every 10 s',
    requests: (seed) => rag(new Prng(seed), () => 10 * SECOND),
  },
  {
    name: 'RAG, Poisson 6 min',
    requests: (seed) => rag(new Prng(seed), (random) => random.gap(6 * MINUTE)),
  },
  ...[3, 10, 100, 1000].map((count) => ({
    name: `document validation, n = ${count.toLocaleString('en-US')}`,
    requests: (seed: number) => validation(new Prng(seed), count),
  })),
  { name: 'agent, 30 steps of 1 tool', requests: (seed) => steadyAgent(new Prng(seed)) },
  { name: 'agent, 15 steps of 12 tools', requests: (seed) => busyAgent(new Prng(seed)) },
]

const CHAT = { userTokens: 150, answerTokens: 350 }

function oneChat(random: Prng): TimedRequest[] {
  const setting = { route: 'chat', system: textOf('You are the help desk', 3500, random) }
  const gapAfter = (): number => random.between(20, 60) * SECOND
  return chat(setting, { ...CHAT, name: 'Ada', turns: 20, start: 0, gapAfter }, random)
}

function manyChats(random: Prng): TimedRequest[] {
  const setting = { route: 'chat', system: textOf('You are the help desk', 3500, random) }
  const requests: TimedRequest[] = []
  for (let index = 0; index < 50; index++) {
    const shape = {
      ...CHAT,
      name: `Customer ${index}`,
      turns: 20,
      start: index * 12 * SECOND + random.between(0, 5 * SECOND),
      gapAfter: () => random.between(20 * SECOND, 60 * SECOND),
    }
    requests.push(...chat(setting, shape, random))
  }
  return byTime(requests)
}

/** One gap in ten is a pause; which ones, the seed says. */
function pausedChat(random: Prng): TimedRequest[] {
  const setting = { route: 'chat', system: textOf('You are the help desk', 3500, random) }
  const gapAfter = (): number =>
    random.chance(0.1) ? 20 * MINUTE : random.between(20, 60) * SECOND
  return chat(setting, { ...CHAT, name: 'Ada', turns: 40, start: 0, gapAfter }, random)
}

/** 3,000 fixed, then 4,000 that are new each time and a question. */
function rag(random: Prng, gap: (random: Prng) => number): TimedRequest[] {
  const setting = { route: 'rag', system: textOf('Answer from the passages', 3000, random) }
  return template(setting, {
    name: 'rag',
    count: 100,
    outputTokens: 300,
    start: 0,
    gapAfter: () => gap(random),
    parts: (index) => [
      textBlock(`Passages for question ${index}`, 4000, random),
      textBlock(`Question ${index}`, 100, random),
    ],
  })
}

/** 6,000 of rules and a form to fill in, then a document of 1,500. */
function validation(random: Prng, count: number): TimedRequest[] {
  const setting = {
    route: 'validate',
    tools: [toolOf('record_findings', 1000, random)],
    system: [textBlock('Rules of validation', 5000, random)],
  }
  return template(setting, {
    name: 'validation',
    count,
    outputTokens: 300,
    start: 0,
    gapAfter: () => random.between(5, 30) * SECOND,
    parts: (index) => [textBlock(`Invoice ${index + 1000}`, 1500, random)],
  })
}

function steadyAgent(random: Prng): TimedRequest[] {
  const setting = {
    route: 'agent',
    tools: toolbox(10, 800, random),
    system: [textBlock('You work with the tools', 3000, random)],
  }
  const shape = {
    name: 'repair',
    steps: 30,
    taskTokens: 300,
    toolsPerStep: 1,
    remarkTokens: 0,
    useTokens: 200,
    resultTokens: 1100,
    start: 0,
    gapAfter: () => random.between(4, 25) * SECOND,
  }
  return agent(setting, shape, random)
}

/** A remark before each call keeps the calls from counting as one position: 25 more in every step. */
function busyAgent(random: Prng): TimedRequest[] {
  const setting = {
    route: 'agent',
    tools: toolbox(8, 600, random),
    system: [textBlock('You work with the tools', 2100, random)],
  }
  const shape = {
    name: 'survey',
    steps: 15,
    taskTokens: 200,
    toolsPerStep: 12,
    remarkTokens: 40,
    useTokens: 60,
    resultTokens: 240,
    start: 0,
    gapAfter: () => random.between(10, 60) * SECOND,
  }
  return agent(setting, shape, random)
}

function toolbox(count: number, tokensEach: number, random: Prng): ReturnType<typeof toolOf>[] {
  return Array.from({ length: count }, (_, index) => toolOf(`tool_${index}`, tokensEach, random))
}
