import type Anthropic from '@anthropic-ai/sdk'
import type { Prng } from './prng.ts'
import { textBlock, textOf, toolResult, toolUse } from './prompt-text.ts'
import { MODEL, type TimedRequest } from './timed-request.ts'

/** What all requests of a route begin with. */
export interface Setting {
  readonly route: string
  readonly system?: string | Anthropic.Messages.TextBlockParam[]
  readonly tools?: Anthropic.Messages.Tool[]
  /** Another model than that of the table. */
  readonly model?: string
}

export interface ChatShape {
  readonly name: string
  readonly turns: number
  readonly userTokens: number
  readonly answerTokens: number
  readonly start: number
  /** Milliseconds from one turn, counted from 1, to the next. */
  gapAfter(turn: number): number
}

/** A conversation: each request is the one before, its answer, and a new question. */
export function chat(setting: Setting, shape: ChatShape, random: Prng): TimedRequest[] {
  const { name, turns, userTokens, answerTokens } = shape
  const messages: Anthropic.Messages.MessageParam[] = []
  const requests: TimedRequest[] = []
  let at = shape.start
  for (let turn = 1; turn <= turns; turn++) {
    messages.push({ role: 'user', content: textOf(`${name} asks (${turn})`, userTokens, random) })
    requests.push(requestOf(setting, { at, messages, outputTokens: answerTokens }))
    const answer = textOf(`Answer to ${name} (${turn})`, answerTokens, random)
    messages.push({ role: 'assistant', content: answer })
    at += shape.gapAfter(turn)
  }
  return requests
}

export interface TemplateShape {
  readonly name: string
  readonly count: number
  readonly outputTokens: number
  readonly start: number
  gapAfter(index: number): number
  /** The parts of the one message of the request with this index. */
  parts(index: number): Anthropic.Messages.ContentBlockParam[]
}

/** The same instructions again and again, each time for other content. */
export function template(setting: Setting, shape: TemplateShape): TimedRequest[] {
  const requests: TimedRequest[] = []
  let at = shape.start
  for (let index = 0; index < shape.count; index++) {
    const messages = [{ role: 'user' as const, content: shape.parts(index) }]
    requests.push(requestOf(setting, { at, messages, outputTokens: shape.outputTokens }))
    at += shape.gapAfter(index)
  }
  return requests
}

export interface AgentShape {
  readonly name: string
  readonly steps: number
  readonly taskTokens: number
  readonly toolsPerStep: number
  /** Of the remark before each call of a tool; 0: the calls follow each other directly. */
  readonly remarkTokens: number
  readonly useTokens: number
  readonly resultTokens: number
  readonly start: number
  gapAfter(step: number): number
}

/** A model that calls tools until its task is done: each request is the one before and a step more. */
export function agent(setting: Setting, shape: AgentShape, random: Prng): TimedRequest[] {
  const messages: Anthropic.Messages.MessageParam[] = [
    { role: 'user', content: textOf(`Task of ${shape.name}`, shape.taskTokens, random) },
  ]
  const requests: TimedRequest[] = []
  const outputTokens = shape.toolsPerStep * (shape.remarkTokens + shape.useTokens)
  let at = shape.start
  for (let step = 1; step <= shape.steps; step++) {
    requests.push(requestOf(setting, { at, messages, outputTokens }))
    messages.push(...stepOf(setting, shape, step, random))
    at += shape.gapAfter(step)
  }
  return requests
}

function stepOf(
  setting: Setting,
  shape: AgentShape,
  step: number,
  random: Prng,
): Anthropic.Messages.MessageParam[] {
  const calls: Anthropic.Messages.ContentBlockParam[] = []
  const results: Anthropic.Messages.ContentBlockParam[] = []
  for (let index = 1; index <= shape.toolsPerStep; index++) {
    const id = `toolu_${shape.name.replaceAll(/\W/g, '_')}_${step}_${index}`
    const tool = setting.tools?.[random.between(0, setting.tools.length - 1)]?.name ?? 'search'
    if (shape.remarkTokens > 0) {
      calls.push(textBlock(`Step ${step}.${index}`, shape.remarkTokens, random))
    }
    calls.push(toolUse(id, tool, shape.useTokens, random))
    results.push(toolResult(id, shape.resultTokens, random))
  }
  return [
    { role: 'assistant', content: calls },
    { role: 'user', content: results },
  ]
}

function requestOf(
  { route, system, tools, model = MODEL }: Setting,
  call: Pick<TimedRequest, 'at' | 'outputTokens'> & {
    readonly messages: readonly Anthropic.Messages.MessageParam[]
  },
): TimedRequest {
  return {
    at: Math.round(call.at),
    route,
    outputTokens: call.outputTokens,
    request: {
      model,
      max_tokens: 1024,
      ...(system !== undefined && { system }),
      ...(tools !== undefined && { tools }),
      // The list grows, and what was sent does not.
      messages: [...call.messages],
    },
  }
}
